internal import ArgumentParser
internal import UsageClient
internal import Wire

struct SinceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "since", abstract: "Shows what changed since a mark, or since so long ago.")

    @Argument(
        help: ArgumentHelp(
            "A mark's name, or a duration such as 10m, 2h or 7d.", valueName: "name-or-duration"))
    var mark: String

    @OptionGroup var options: CommonOptions

    func validate() throws {
        try requireText(mark, "<name-or-duration>")
    }

    func run() throws {
        try options.show(.since(mark)) { Render.since($0 as Since, $1) }
    }
}
