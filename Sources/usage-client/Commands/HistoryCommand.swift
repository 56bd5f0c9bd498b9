internal import ArgumentParser
internal import UsageClient
internal import Wire

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Shows the steps that an image was built by, the newest first, with their sizes.")

    @Argument(help: ArgumentHelp("A name, an id, or a prefix of one.", valueName: "image"))
    var image: String

    @OptionGroup var options: CommonOptions

    func validate() throws {
        try requireText(image, "<image>")
    }

    func run() throws {
        try options.show(.image(image)) { Render.history($0 as ImageDetail, $1) }
    }
}
