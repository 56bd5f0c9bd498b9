internal import ArgumentParser
internal import Daemon
internal import Glibc
internal import Journal
internal import Logging
internal import ServiceLifecycle
internal import Settings
internal import StatusFeed
internal import Stores
internal import UnixSignals

/// The command line of the daemon.
struct UsagedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usaged",
        abstract: "Accounts the disk usage of containers and images, and alerts when a container grows.")

    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The Unix socket to serve.", valueName: "path"))
    var socket: String?

    @Option(help: ArgumentHelp("The directory for state.", valueName: "dir"))
    var state: String?

    @Option(
        help: ArgumentHelp(
            "A store to follow; may be given more than once and turns detection off. KIND is docker, docker-classic, containers-storage, containerd or plain.",
            valueName: "kind=path"),
        transform: { text in
            do {
                return try StoreLocation(parsing: text)
            } catch {
                throw ValidationError("--store \(error)")
            }
        })
    var store: [StoreLocation] = []

    @Option(
        help: ArgumentHelp(
            "A TCP socket to answer GET on besides, for every user of this host: 127.0.0.1:PORT or [::1]:PORT.",
            valueName: "address:port"),
        transform: { text in
            guard let address = LoopbackAddress(text) else {
                throw ValidationError("--listen \(text) is not 127.0.0.1:PORT or [::1]:PORT")
            }
            return address
        })
    var listen: [LoopbackAddress] = []

    @Flag(help: "Check the configuration and exit.")
    var checkConfig = false

    @Flag(
        help: """
            Find out by a mount of its own whether this kernel tells of data that is written through overlayfs, note \
            it in /run/usaged for a daemon that may not mount, and exit.
            """)
    var probeOverlay = false

    @Flag(help: "Print the version and exit.")
    var version = false

    var options: DaemonOptions {
        DaemonOptions(
            configuration: config, socket: socket, stateDirectory: state, stores: store, listen: listen)
    }
}

@main
enum UsagedTool {
    private enum Status: Int32 {
        case done = 0
        case failed = 1
        /// Wrong usage, or a wrong configuration: the service manager does not try again.
        case wrongUsage = 2
    }

    static func main() async {
        // Before there are other threads: it changes the environment.
        let passed = PassedSockets.take()
        let status = await run(passed)
        exit(status.rawValue)
    }

    private static func run(_ passed: PassedSockets) async -> Status {
        // Without it there are no arguments either, and the daemon would follow what nobody asked for.
        guard access("/proc/self/cmdline", R_OK) == 0 else {
            complain("/proc is not mounted: mount it, or let the daemon see it")
            return .failed
        }
        let command: UsagedCommand
        do {
            command = try UsagedCommand.parse()
        } catch {
            let text = UsagedCommand.fullMessage(for: error)
            guard UsagedCommand.exitCode(for: error) != .success else {
                print(text)
                return .done
            }
            complain(text)
            return .wrongUsage
        }
        if command.version {
            print("usaged \(UsageDaemon.version)")
            return .done
        }
        if command.probeOverlay { return probeOverlay() }
        let settings: Settings
        do {
            settings = try command.options.settings()
        } catch {
            complain("\(error)")
            return .wrongUsage
        }
        let overlapping = command.options.overlappingStores(settings)
        guard overlapping.isEmpty else {
            for line in overlapping { complain(line) }
            return .wrongUsage
        }
        if command.checkConfig {
            let receivers = settings.receivers.isEmpty ? "" : ", \(settings.receivers.count) receivers"
            print("the configuration is right: \(settings.alerts.count) alert rules\(receivers)")
            return .done
        }
        return await serve(command.options, settings, passed)
    }

    private static func probeOverlay() -> Status {
        do {
            let isTold = try OverlayFinding.note()
            let verb = isTold ? "tells" : "does not tell"
            print("this kernel \(verb) of data that is written through overlayfs")
            return .done
        } catch {
            complain("cannot probe overlayfs: \(error); run it as root, or the kernel's version is gone by")
            return .failed
        }
    }

    private static func serve(
        _ options: DaemonOptions, _ settings: Settings, _ passed: PassedSockets
    ) async -> Status {
        let environment = environment()
        let output = LogOutput(JournalBackend.choose(environment: environment))
        let level = Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
        LoggingSystem.bootstrap { output.handler(label: $0, level: level) }
        let logger = Logger(label: "usaged")
        if let complaint = JournalBackend.complaint(environment: environment) {
            logger.warning("\(complaint)")
        }
        defer { output.flush(seconds: 2) }
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        do {
            let daemon = try UsageDaemon(
                options: options, settings: settings, passed: passed, logger: logger
            ) { output.settle(seconds: 2) }
            var quiet = logger
            quiet.logLevel = max(.warning, level)
            var configuration = ServiceGroupConfiguration(
                services: [
                    .init(
                        service: daemon, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .cancelGroup),
                    .init(service: ReloadService(daemon: daemon, hangups: hangups)),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
            configuration.maximumGracefulShutdownDuration = .seconds(15)
            try await ServiceGroup(configuration: configuration).run()
            return .done
        } catch {
            logger.critical("\(error)")
            return .failed
        }
    }

    private static func complain(_ text: String) {
        let line = "usaged: \(text)\n"
        line.utf8CString.withUnsafeBytes { bytes in
            _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count - 1)
        }
    }

    private static func environment() -> [String: String] {
        var result: [String: String] = [:]
        for name in [JournalBackend.variable, "JOURNAL_STREAM"] {
            if let value = getenv(name) { result[name] = String(cString: value) }
        }
        return result
    }
}
