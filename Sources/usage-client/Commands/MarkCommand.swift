internal import ArgumentParser
internal import UsageClient
internal import Wire

struct MarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mark", abstract: "Remembers every figure of this moment under a name, for since.")

    @Argument(
        help: ArgumentHelp("A name for the mark; an older mark of that name is replaced.", valueName: "name"))
    var name: String

    @OptionGroup var options: CommonOptions

    func validate() throws {
        try requireText(name, "<name>")
    }

    func run() throws {
        try options.show(.setMark(name)) { Render.markSet($0 as MarkSet, $1) }
    }
}
