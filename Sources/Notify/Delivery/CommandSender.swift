internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import UsageClient
internal import Wire

/// Runs a program for each notice: the alert as JSON on its standard input, and as variables of its environment.
final class CommandSender: Sender {
    /// The exit status by which a program says that it will never take this alert; `EX_DATAERR` of sysexits.h.
    static let refusal: Int32 = 65
    /// What systemd tells this process and no other.
    private static let ownVariables: Set = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
        "JOURNAL_STREAM", "INVOCATION_ID", "USAGED_LOG",
    ]

    let batchLimit = 1
    private let receiver: String
    private let command: [String]
    private let timeout: Duration
    private let logger: Logger
    private let inherited: [String: String]

    init(
        receiver: String, command: [String], timeout: Duration, logger: Logger,
        environment: [String: String] = CommandSender.processEnvironment()
    ) {
        self.receiver = receiver
        self.command = command
        self.timeout = timeout
        self.logger = logger
        inherited = environment.filter { !Self.ownVariables.contains($0.key) }
    }

    func deliver(
        _ notices: [Notice], isRepeat: Bool, isStopped: @escaping @Sendable () -> Bool
    ) -> DeliveryOutcome {
        for notice in notices {
            let outcome = deliver(notice, isRepeat: isRepeat, isStopped: isStopped)
            guard outcome == .delivered else { return outcome }
        }
        return .delivered
    }

    private func deliver(
        _ notice: Notice, isRepeat: Bool, isStopped: @escaping @Sendable () -> Bool
    ) -> DeliveryOutcome {
        let result: ChildCommand.Result
        do throws(NotifyError) {
            result = try ChildCommand.run(
                command, environment: inherited.merging(variables(notice, isRepeat: isRepeat)) { $1 },
                input: Self.input(notice.alert), timeout: timeout, isStopped: isStopped)
        } catch {
            return .failed(reason: error.description)
        }
        let said = TerminalText.oneLine(result.output) + (result.outputIsCut ? " ... (cut)" : "")
        if !result.output.isEmpty {
            logger.info(
                "\(command[0]) said: \(said)", metadata: ["receiver": "\(receiver)", "output": "\(said)"])
        }
        let because = result.output.isEmpty ? "" : ": \(TerminalText.cutEnd(said, to: 200))"
        return switch result.end {
        case .exit(0): .delivered
        case .exit(Self.refusal): .refused(reason: "ended with status \(Self.refusal)\(because)")
        case .exit(let status): .failed(reason: "ended with status \(status)\(because)")
        case .signal(let number): .failed(reason: "was ended by signal \(number)\(because)")
        case .timedOut:
            .failed(
                reason: "was killed because it took longer than \(timeout.components.seconds) s\(because)")
        case .stopped: .failed(reason: "was stopped")
        }
    }

    private static func input(_ alert: Alert) -> [UInt8] {
        // An alert cannot fail to be encoded.
        Array((try? WireCoding.encode(alert)) ?? Data()) + [UInt8(ascii: "\n")]
    }

    /// The variables are escaped as on a terminal, for scripts print them; the JSON has what is meant.
    private func variables(_ notice: Notice, isRepeat: Bool) -> [String: String] {
        let alert = notice.alert
        var variables = [
            "RECEIVER": receiver, "RULE": alert.rule, "STATE": alert.state.rawValue,
            "SEVERITY": alert.severity.rawValue, "ENGINE": alert.engine,
            "ROOT": TerminalText.name(alert.root), "CONTAINER": TerminalText.name(alert.container),
            "CONTAINER_ID": TerminalText.name(alert.containerID), "IMAGE": TerminalText.name(alert.image),
            "VALUE_BYTES": String(alert.valueBytes), "LIMIT_BYTES": String(alert.limitBytes),
            "SINCE": alert.since, "MESSAGE": TerminalText.prose(alert.message),
            "REPEAT": isRepeat ? "1" : "0",
        ]
        if let window = alert.windowSeconds { variables["WINDOW_SECONDS"] = String(window) }
        return Dictionary(uniqueKeysWithValues: variables.map { ("USAGED_\($0.key)", $0.value) })
    }

    private static func processEnvironment() -> [String: String] {
        var result: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return result
    }
}
