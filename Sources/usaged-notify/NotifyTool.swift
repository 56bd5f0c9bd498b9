internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import Journal
internal import Logging
internal import Notify
internal import Settings
internal import UsageClient
internal import Wire

/// The command line of `usage-client notify`, which becomes this program.
struct NotifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage-client notify",
        abstract: "Delivers alerts to commands, webhooks and Alertmanagers, until it is stopped.",
        discussion: """
            The receivers stand under notify: in /etc/usaged/usaged.yaml or a file of conf.d. What a receiver does not \
            take is kept in the state directory and tried again, also after a restart; what fired or was resolved \
            meanwhile is noticed. usaged-notify.service runs this. A changed configuration counts from the next start.

            Exit status: 0 stopped, or every test was delivered; 1 failed; 2 wrong usage or configuration.
            """)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The directory for what waits to be delivered.",
            discussion:
                "Else the variable STATE_DIRECTORY, which systemd sets, else \(NotifyOptions.defaultStateDirectory).",
            valueName: "dir"))
    var state: String?

    @Flag(help: "Send each receiver one alert that says that it is a test, tell which took it, and exit.")
    var test = false

    @Flag(help: "With --test, print one JSON object for each receiver.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "The daemon's socket.",
            discussion: "Else the variable USAGED_SOCKET, else socket.path of the configuration.",
            valueName: "path"))
    var socket: String?

    @Option(help: ArgumentHelp("How long to wait for the daemon's answers.", valueName: "seconds"))
    var timeout: Double = 30

    func validate() throws {
        guard timeout >= 0.001, timeout <= 3600 else {
            throw ValidationError("--timeout takes seconds from 0.001 to 3600.")
        }
        guard socket != "" else { throw ValidationError("--socket takes the path of a socket.") }
    }

    func work() throws(End) {
        let settings: Settings
        do throws(SettingsError) {
            settings = try SettingsFiles.load(path: config ?? SettingsFiles.defaultPath, isRequired: true)
        } catch {
            StandardError.say(error.description)
            throw End(status: .wrongUsage)
        }
        guard !settings.receivers.isEmpty else {
            StandardError.say(
                """
                no receivers: nothing stands under notify.receivers in \(config ?? SettingsFiles.defaultPath) or in a \
                file of conf.d beside it
                """)
            throw End(status: .wrongUsage)
        }
        let output = LogOutput(JournalBackend.choose(environment: ProcessInfo.processInfo.environment))
        let level = Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
        LoggingSystem.bootstrap { output.handler(label: $0, level: level) }
        let logger = Logger(label: "usaged.notify")
        defer { output.flush(seconds: 2) }
        if test { return try runTest(settings, logger) }
        try serve(settings, logger)
    }

    private func serve(_ settings: Settings, _ logger: Logger) throws(End) {
        // Before there are other threads, so that all of them leave these signals to the one that waits for them.
        let signals = StopSignals.blocked()
        let service: NotifyService
        do {
            service = try NotifyService(
                NotifyOptions(
                    receivers: settings.receivers,
                    socket: socket ?? Terminal.environment("USAGED_SOCKET") ?? settings.socketPath,
                    timeout: Duration.milliseconds(Int64(timeout * 1000)),
                    stateDirectory: state ?? Terminal.environment("STATE_DIRECTORY")
                        ?? NotifyOptions.defaultStateDirectory), logger: logger)
        } catch {
            logger.critical("\(error)")
            throw End(status: .failed)
        }
        signals.wait(then: service.stopper)
        service.run()
    }

    private func runTest(_ settings: Settings, _ logger: Logger) throws(End) {
        var status = ExitStatus.done
        for receiver in settings.receivers {
            let outcome = NotifyTrial.run(receiver, logger: logger)
            if !outcome.delivered { status = .failed }
            if json {
                try? StandardOutput.writeLine(WireCoding.encode(outcome))
            } else {
                let reason = outcome.reason.map { ": \(TerminalText.prose($0))" } ?? ""
                try? StandardOutput.write(
                    "\(receiver.name): \(outcome.delivered ? "delivered" : "not delivered")\(reason)\n")
            }
        }
        if status != .done { throw End(status: status) }
    }
}

/// Ends with a status after everything was said.
struct End: Error {
    var status: ExitStatus
}

@main
enum NotifyTool {
    static func main() {
        StandardOutput.ignoreBrokenPipe()
        do {
            // Not parseAsRoot(), which gives back a request for help as a command.
            try NotifyCommand.parse().work()
        } catch let end as End {
            exit(end.status.rawValue)
        } catch {
            let text = NotifyCommand.fullMessage(for: error)
            guard NotifyCommand.exitCode(for: error) != .success else {
                try? StandardOutput.write(text + "\n")
                return
            }
            StandardError.say(
                text.split(separator: "\n").map { TerminalText.prose(String($0)) }.joined(separator: "\n"))
            exit(ExitStatus.wrongUsage.rawValue)
        }
    }
}

/// The signals that end the process in order.
private struct StopSignals: @unchecked Sendable {
    private let set: sigset_t

    /// Holds them back on this thread and those that it starts.
    static func blocked() -> StopSignals {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        return StopSignals(set: set)
    }

    /// Calls a function when one comes, on a thread of its own.
    func wait(then stop: @escaping @Sendable () -> Void) {
        Thread.detachNewThread {
            var set = set
            var number: Int32 = 0
            while sigwait(&set, &number) != 0 {}
            stop()
        }
    }
}
