internal import ArgumentParser
internal import Glibc
internal import UsageClient

struct Tool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage-client",
        abstract: "Shows what containers and images take of the disk, as usaged accounts it.",
        discussion: """
            Ids and names may be shortened to any unambiguous prefix. Sizes are decimal, as Docker prints them. \
            The options of every command (--json, --socket, --timeout, --iec, --bytes, --color) may stand before \
            it as well.

            Exit status: 0 done; 1 failed or not found; 2 wrong usage; 3 no daemon answers; 4 not permitted.
            """,
        version: "usage-client \(ClientVersion.current)",
        subcommands: [
            StatusCommand.self, ImagesCommand.self, TreeCommand.self, HistoryCommand.self,
            InspectCommand.self,
            ContainersCommand.self, FeedCommand.self, WatchCommand.self, AlertsCommand.self,
            CheckCommand.self,
            VolumesCommand.self, OrphansCommand.self, DiskFreeCommand.self, ExplainCommand.self,
            ReclaimCommand.self, MarkCommand.self, SinceCommand.self, DoctorCommand.self, NotifyCommand.self,
        ])
}

@main
enum UsageClientTool {
    static func main() {
        StandardOutput.ignoreBrokenPipe()
        exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    private static func run(_ given: [String]) -> Int32 {
        let arguments: [String]
        do {
            arguments = try LeadingOptions.moved(given)
        } catch {
            return finish(error, isCheck: false)
        }
        let isCheck = arguments.first == CheckCommand.configuration.commandName
        if let first = arguments.first, let message = unknownCommand(first) {
            StandardError.say(message)
            return ExitStatus.wrongUsage.rawValue
        }
        do {
            var command = try Tool.parseAsRoot(arguments)
            try command.run()
            return ExitStatus.done.rawValue
        } catch is StandardOutput.ReaderGone {
            return ExitStatus.done.rawValue
        } catch let failure as ClientError {
            StandardError.say(failure.report)
            return failure.exitStatus.rawValue
        } catch let end as EndWith {
            return end.status
        } catch {
            return finish(error, isCheck: isCheck)
        }
    }

    /// Help, the version, and arguments that are wrong.
    private static func finish(_ error: any Error, isCheck: Bool) -> Int32 {
        let message = Tool.fullMessage(for: error)
        guard Tool.exitCode(for: error) != .success else {
            try? StandardOutput.write(message + "\n")
            return ExitStatus.done.rawValue
        }
        guard isCheck else {
            let prefix = "Error: "
            let text = message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message
            StandardError.say(TerminalLines.safe(text))
            return ExitStatus.wrongUsage.rawValue
        }
        try? StandardOutput.write(CheckResult(unknown: Tool.message(for: error)).line + "\n")
        return CheckResult.Level.unknown.rawValue
    }

    private static func unknownCommand(_ name: String) -> String? {
        let known = Tool.configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        guard !name.hasPrefix("-"), !known.contains(name) else { return nil }
        let near = known.filter { !name.isEmpty && ($0.hasPrefix(name) || name.hasPrefix($0)) }
        let hint = near.isEmpty ? "" : "\nDid you mean: \(near.joined(separator: ", "))?"
        return """
            there is no command \(TerminalText.name(name))\(hint)
            Commands: \(known.joined(separator: ", "))
            """
    }
}

/// Ends with a status after everything was printed.
struct EndWith: Error {
    var status: Int32
}

/// Lines of a message that may repeat an argument.
enum TerminalLines {
    static func safe(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { TerminalText.prose(String($0)) }.joined(separator: "\n")
    }
}
