internal import ArgumentParser
internal import UsageClient
internal import Wire

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows everything at one moment: stores, file systems, totals, containers, alerts.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        if options.json {
            try StandardOutput.writeLine(options.daemon.body(.status))
        } else {
            // Of a thousand containers the text shows ten; to write and read all the others would take the time.
            let status: Status = try options.daemon.get(.status(top: Render.topContainers))
            try StandardOutput.write(Render.status(status, options.render))
        }
    }
}
