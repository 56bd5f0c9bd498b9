internal import ArgumentParser
internal import UsageClient
internal import Wire

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows everything at one moment: stores, file systems, totals, containers, alerts.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        try options.show(.status) { Render.status($0 as Status, $1) }
    }
}
