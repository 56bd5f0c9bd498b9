internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import Journal
internal import Logging
internal import Notify
internal import Settings
internal import UsageClient
internal import Wire

struct NotifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify",
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

    @OptionGroup var options: CommonOptions

    func run() throws {
        let settings: Settings
        do throws(SettingsError) {
            settings = try SettingsFiles.load(path: config ?? SettingsFiles.defaultPath, isRequired: true)
        } catch {
            StandardError.say(error.description)
            throw EndWith(status: ExitStatus.wrongUsage.rawValue)
        }
        guard !settings.receivers.isEmpty else {
            StandardError.say(
                """
                no receivers: nothing stands under notify.receivers in \(config ?? SettingsFiles.defaultPath) or in a \
                file of conf.d beside it
                """)
            throw EndWith(status: ExitStatus.wrongUsage.rawValue)
        }
        let output = LogOutput(JournalBackend.choose(environment: ProcessInfo.processInfo.environment))
        let level = Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
        LoggingSystem.bootstrap { output.handler(label: $0, level: level) }
        let logger = Logger(label: "usaged.notify")
        defer { output.flush(seconds: 2) }
        if test { return try runTest(settings, logger) }
        try serve(settings, logger)
    }

    private func serve(_ settings: Settings, _ logger: Logger) throws {
        // Before there are other threads, so that all of them leave these signals to the one that waits for them.
        let signals = StopSignals.blocked()
        let service: NotifyService
        do {
            service = try NotifyService(
                NotifyOptions(
                    receivers: settings.receivers,
                    socket: options.givenSocket ?? settings.socketPath,
                    timeout: options.daemon.timeout,
                    stateDirectory: state ?? Terminal.environment("STATE_DIRECTORY")
                        ?? NotifyOptions.defaultStateDirectory), logger: logger)
        } catch {
            logger.critical("\(error)")
            throw EndWith(status: ExitStatus.failed.rawValue)
        }
        signals.wait(then: service.stopper)
        service.run()
    }

    private func runTest(_ settings: Settings, _ logger: Logger) throws {
        var status = ExitStatus.done
        for receiver in settings.receivers {
            let outcome = NotifyTrial.run(receiver, logger: logger)
            if !outcome.delivered { status = .failed }
            if options.json {
                try StandardOutput.writeLine(WireCoding.encode(outcome))
            } else {
                let reason = outcome.reason.map { ": \(TerminalText.prose($0))" } ?? ""
                try StandardOutput.write(
                    "\(receiver.name): \(outcome.delivered ? "delivered" : "not delivered")\(reason)\n")
            }
        }
        if status != .done { throw EndWith(status: status.rawValue) }
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
