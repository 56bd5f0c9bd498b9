internal import ArgumentParser
internal import FoundationEssentials
internal import UsageClient
internal import Wire

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Tells a monitoring system in one line whether all is well.",
        discussion: """
            Follows the guidelines for monitoring plugins. CRITICAL (2): a critical alert fires. WARNING (1): a \
            warning fires, or a store or container is stale or damaged. OK (0): neither; polling and converging \
            are told. UNKNOWN (3): no answer, or wrong usage.
            """)

    @OptionGroup var options: CommonOptions

    func run() throws {
        let result: CheckResult
        do throws(ClientError) {
            var render = options.render
            render.width = nil
            result = CheckResult(try options.daemon.status(), render)
        } catch {
            result = CheckResult(unknown: error.summary)
        }
        if options.json {
            try StandardOutput.writeLine(WireCoding.encode(Answer(result)))
        } else {
            try StandardOutput.write(result.line + "\n")
        }
        throw EndWith(status: result.level.rawValue)
    }

    private struct Answer: Encodable {
        var schema = WireCoding.schema
        var exitStatus: Int32
        var line: String

        init(_ result: CheckResult) {
            exitStatus = result.level.rawValue
            line = result.line
        }
    }
}
