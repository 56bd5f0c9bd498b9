internal import ArgumentParser
internal import UsageClient
internal import Wire

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows everything at one moment: stores, file systems, totals, containers, alerts.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        // Of a thousand containers the text shows ten; to write and read all the others would take the time.
        try options.show(.status, shortened: .status(top: Render.topContainers)) {
            Render.status($0 as Status, $1)
        }
    }
}
