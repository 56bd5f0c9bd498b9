internal import ArgumentParser
internal import UsageClient
internal import Wire

struct DiskFreeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "df", abstract: "Shows where the used bytes of each file system went.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        let status = try options.daemon.get(.status(top: 0)) as Status
        if options.json {
            try StandardOutput.writeLine(WireCoding.encode(Answer(status)))
        } else {
            try StandardOutput.write(Render.diskFree(status, options.render))
        }
    }

    /// The part of `status` that is about file systems.
    private struct Answer: Encodable {
        var schema: Int
        var time: String
        var exact: Bool
        var reasons: [String]
        var filesystems: [FileSystem]
        var totals: Totals

        init(_ status: Status) {
            schema = status.schema
            time = status.time
            exact = status.exact
            reasons = status.reasons
            filesystems = status.filesystems
            totals = status.totals
        }
    }
}
