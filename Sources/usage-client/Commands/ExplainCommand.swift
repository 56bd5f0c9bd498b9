internal import ArgumentParser
internal import UsageClient
internal import Wire

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tells how the figures of an object come about.")

    @Argument(
        help: ArgumentHelp("An image, container, volume, layer or orphan, by name or id.", valueName: "id"))
    var id: String

    @OptionGroup var options: CommonOptions

    func validate() throws {
        try requireText(id, "<id>")
    }

    func run() throws {
        try options.show(.explain(id)) { Render.explanation($0 as Explanation, $1) }
    }
}
