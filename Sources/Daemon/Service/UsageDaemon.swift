internal import Accounting
internal import Glibc
public import Journal
internal import Kernel
public import Logging
public import ServiceLifecycle
public import Settings
internal import StatusFeed
internal import Stores
internal import Synchronization
internal import Tracking

/// The whole daemon: it puts the parts together, and runs until it is told to stop.
public final class UsageDaemon: Service {
    public static let version = "0.1.0"

    private static let detectionSeconds = 10

    private let options: DaemonOptions
    private let settings: Settings
    private let logger: Logger
    private let manager: ServiceManager
    private let serviceStatus: ServiceStatus
    private let server: StatusServer
    private let webServers: [StatusServer]
    private let loop: AccountingLoop
    private let books: UsageBooks
    private let tracking: TrackingService
    private let stores = StoreFollowers()
    private let state: DaemonState
    private let layers: LayerDispatch
    private let counters = DaemonCounters()
    private let configuration = ConfigurationNote()
    private let surveys: StoreSurveys
    private let deletedOpen: DeletedOpenWatch
    private let detectionProblems = Mutex<Set<StoreProblem>>([])
    private let overlaps = Mutex<Set<StoreOverlap>>([])

    /// Puts the parts together; nothing runs yet.
    ///
    /// - Parameters:
    ///   - options: The command line, for reading the configuration again.
    ///   - settings: What ``DaemonOptions/settings()`` gave.
    ///   - passed: The sockets that the service manager passed.
    ///   - logger: The daemon's log.
    ///   - settleLog: Waits until what was logged is written; an alert is kept as told after that.
    /// - Throws: What kept a part from being made: no descriptors or memory left.
    public init(
        options: DaemonOptions, settings: Settings, passed: PassedSockets, logger: Logger,
        settleLog: @escaping @Sendable () -> Void = {}
    ) throws {
        self.options = options
        self.settings = settings
        self.logger = logger
        try OpenFileLimitError.check()
        // The most that the threads have open at once while they look, and some more; of a small limit a part.
        DescriptorReserve.fill(min(48, (KernelLimits.openFiles ?? 1024) / 8))
        // First: where another daemon serves the socket, nothing of its state may be touched.
        let bound = try Self.open(passed, settings, logger)
        var isDone = false
        defer { if !isDone { bound.close() } }
        let web = try Self.openWeb(passed, options, logger)
        defer { if !isDone { for socket in web { socket.close() } } }
        manager = ServiceManager()
        serviceStatus = ServiceStatus(manager)
        let hub = FeedHub(firstID: Moment.now().wall / 1_000_000)
        Self.makeDirectory(settings.stateDirectory, mode: 0o750)
        state = try DaemonState(directory: settings.stateDirectory, logger: logger)

        let moment = Moment.now()
        var alerts = AlertBook(rules: settings.alerts)
        let ended = alerts.restore(state.savedAlerts(), at: moment)
        var growth = GrowthBook()
        growth.restore(state.savedGrowth(), at: moment)
        let wakeUp = try WakeUp()
        let saving = AlertSaving(state: state, settleLog: settleLog)
        let announcer = Announcer(hub: hub, logger: logger) { saving.save() }
        let books = UsageBooks(alerts: alerts, growth: growth, announcer: announcer, wakeUp: wakeUp)
        saving.take(from: books)
        announcer.tell(ended, at: moment)
        self.books = books

        let cache = MeasureCache(storage: state)
        let tracking = try TrackingService(
            options: TrackingOptions(settings.tracking),
            sink: ReportSink(
                books: books, cache: cache, counters: counters, records: TrackingRecords(logger: logger)))
        self.tracking = tracking
        let overlay = OverlaySilence.ofThisKernel()
        layers = LayerDispatch(
            books: books, tracking: tracking, cache: cache, counters: counters, overlay: overlay)
        let marks = MarkBook(state: state)
        let fileSystems = FileSystems()
        deletedOpen = try DeletedOpenWatch(books: books)
        surveys = try StoreSurveys(books: books)
        let answers = StatusAnswers(
            books: books, tracking: tracking, stores: stores, fileSystems: fileSystems, marks: marks,
            cache: cache,
            counters: counters, configuration: configuration, watchBudget: settings.tracking.watchBudget,
            deletedOpen: deletedOpen, surveys: surveys, overlay: overlay,
            barrierMilliseconds: settings.tracking.barrierDeadline.milliseconds,
            version: Self.version)
        loop = AccountingLoop(
            AccountingLoop.Parts(
                books: books, tracking: tracking, stores: stores, cache: cache, state: state, marks: marks,
                fileSystems: fileSystems, manager: manager, status: serviceStatus,
                configuration: configuration,
                logger: logger), wakeUp: wakeUp)

        let socket = passed.feed.isEmpty ? settings.socketPath : "the passed socket"
        server = StatusServer(socket: bound, provider: answers, hub: hub, logger: logger) { [serviceStatus] in
            serviceStatus.ready("Reading the stores")
            logger.record(
                .started, .notice, "usaged \(Self.version) serves \(socket)",
                metadata: ["socket": "\(socket)"])
        }
        webServers = web.map {
            StatusServer(socket: $0, provider: answers, hub: hub, logger: logger, access: .loopback)
        }
        isDone = true
    }

    private static func open(
        _ passed: PassedSockets, _ settings: Settings, _ logger: Logger
    ) throws(ListeningSocketError) -> BoundSocket {
        for refused in passed.refused {
            logger.warning("the passed socket \(refused.name) is not used: \(refused.reason)")
        }
        for descriptor in passed.feed.dropFirst() {
            logger.warning("a passed socket is not used: this version serves one Unix socket")
            close(descriptor)
        }
        let listening: ListeningSocket
        if let descriptor = passed.feed.first {
            listening = .descriptor(descriptor)
        } else {
            makeDirectory(parent(of: settings.socketPath), mode: 0o755)
            listening = .path(settings.socketPath)
        }
        return try BoundSocket.open(listening, group: settings.socketGroup, logger: logger)
    }

    private static func openWeb(
        _ passed: PassedSockets, _ options: DaemonOptions, _ logger: Logger
    ) throws(ListeningSocketError) -> [BoundSocket] {
        var sockets: [BoundSocket] = []
        do throws(ListeningSocketError) {
            let all = passed.web.map { ListeningSocket.descriptor($0) } + options.listen.map { .loopback($0) }
            for socket in all { sockets.append(try BoundSocket.open(socket, group: nil, logger: logger)) }
        } catch {
            for socket in sockets { socket.close() }
            throw error
        }
        return sockets
    }

    /// Follows the stores and serves the sockets until the graceful shutdown.
    public func run() async throws {
        // libdispatch opens what timers of a clock need for the first of them, and ends the process where it cannot:
        // it has it before descriptors can be used up.
        _ = await FirstResult<Bool>().value(withinMilliseconds: 1, otherwise: false)
        try? await Task.sleep(for: .milliseconds(1))
        tracking.start()
        let named = options.locations(settings)
        let doubled = Stores.overlaps(named).filter { $0.kind == .containerd }
        for overlap in doubled { logger.warning("\(overlap)") }
        for location in named where !doubled.contains(where: { $0.location == location }) {
            try follow(location)
        }
        let detects = named.isEmpty
        if detects { detect() }
        loop.start()
        deletedOpen.start()
        surveys.start()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for server in webServers { group.addTask { await self.serveWeb(server) } }
                if detects { group.addTask { await self.detectAgain() } }
                // It ends at the shutdown; all else ends with it.
                try await server.run()
                group.cancelAll()
            }
        } catch {
            stop()
            throw error
        }
        stop()
    }

    /// Figures and alerts go on without it.
    private func serveWeb(_ server: StatusServer) async {
        do {
            try await server.run()
        } catch {
            logger.error("the TCP socket is not served any more: \(error); restart usaged")
        }
    }

    /// Reads the configuration again and puts it in force, or says why not and keeps the old.
    public func reload() {
        manager.reloading()
        do {
            let new = try options.settings()
            configuration.note(problem: nil)
            books.replaceRules(new.alerts)
            var fixed = new
            fixed.alerts = settings.alerts
            let needsRestart = fixed != settings
            let path = options.configuration ?? SettingsFiles.defaultPath
            logger.record(
                .configurationLoaded, .notice,
                """
                the configuration was read again: \(new.alerts.count) alert rules are in force\
                \(needsRestart ? "; other settings changed, which take effect at a restart" : "")
                """,
                metadata: ["path": "\(path)"])
            serviceStatus.ready("The configuration was read again")
        } catch {
            configuration.note(problem: "\(error)")
            logger.record(
                .configurationRejected, .error, "the configuration is wrong, the old one stays: \(error)",
                metadata: ["reason": "\(error)"])
            serviceStatus.ready(StatusLine.refusal("\(error)"))
        }
    }

    private func stop() {
        manager.stopping()
        stores.stop()
        deletedOpen.stop()
        surveys.stop()
        loop.stop()
        tracking.stop()
        state.close()
        logger.record(.stopped, .notice, "usaged stopped")
    }

    // MARK: Stores

    private func follow(_ location: StoreLocation) throws {
        let follower = try StoreFollower(
            location: location, reader: open(location), books: books, layers: layers,
            surveys: surveys, counters: counters)
        stores.add(follower)
    }

    private func open(_ location: StoreLocation) -> any StoreReader {
        var options = StoreOptions()
        options.orphanSeconds = Double(settings.tracking.orphanGrace.milliseconds) / 1000
        return Stores.open(location, options: options)
    }

    private func detect() {
        let (locations, problems) = StoreDetection.locations(daemonJSON: settings.dockerDaemonJSON)
        for problem in problems where detectionProblems.withLock({ $0.insert(problem).inserted }) {
            logger.record(
                .objectDamaged, .warning, "\(problem.path): \(problem.reason)",
                metadata: ["path": "\(problem.path)", "reason": "\(problem.reason)"])
        }
        // Where the configuration cannot be read, nobody knows what it would name.
        if problems.isEmpty { forgetAll(but: locations) }
        for location in locations {
            do {
                try followFound(location)
            } catch {
                logger.warning("\(error)")
            }
        }
    }

    private func followFound(_ location: StoreLocation) throws {
        let followed = stores.all.map(\.location)
        guard !followed.contains(location), !stores.has(open(location).identity) else { return }
        if let overlap = Stores.overlaps(followed + [location]).last {
            let isNew = overlaps.withLock { $0.insert(overlap).inserted }
            if isNew { logger.warning("\(overlap)") }
            return
        }
        try follow(location)
    }

    private func forgetAll(but locations: [StoreLocation]) {
        let found = locations.map { (location: $0, identity: open($0).identity) }
        let identities = Set(found.map(\.identity))
        for follower in stores.all where !identities.contains(follower.identity) {
            // A path that leads elsewhere, or a root with another driver, is another store; one that is gone for now,
            // as of a disk that is not mounted, stays and says so.
            let now = found.first { $0.location == follower.location }?.identity
            if let now, !Stores.isThere(now) { continue }
            let store = follower.identity
            stores.remove(follower) { [books, layers, surveys] in
                surveys.forget(store)
                layers.apply(books.remove(store), of: store)
            }
        }
    }

    private func detectAgain() async {
        while (try? await Task.sleep(for: .seconds(Self.detectionSeconds))) != nil {
            let done = FirstResult<Bool>()
            NamedThread.start("detection") { [self] in
                detect()
                done.give(true)
            }
            _ = await done.value(withinMilliseconds: 60_000, otherwise: false)
        }
    }

    // MARK: Directories

    /// Makes a directory that a package or a unit would have made; where that fails, its use says why.
    private static func makeDirectory(_ path: String, mode: mode_t) {
        mkdir(path, mode)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension UsageDaemon: CustomStringConvertible {
    /// What the service group calls it; made up by reflection instead, it would delay each start.
    public var description: String { "usaged" }
}

/// Keeps the alerts, and the figures that they come from, whenever alerts change: the books call it, and it asks the books.
private final class AlertSaving: Sendable {
    private let state: DaemonState
    private let settleLog: @Sendable () -> Void
    private let books = Mutex<UsageBooks?>(nil)

    init(state: DaemonState, settleLog: @escaping @Sendable () -> Void) {
        self.state = state
        self.settleLog = settleLog
    }

    func take(from books: UsageBooks) {
        self.books.withLock { $0 = books }
    }

    func save() {
        guard let books = books.withLock({ $0 }) else { return }
        state.save { [settleLog] in
            let alerts = books.savedAlerts()
            // Killed between the two, the daemon tells an alert again rather than never.
            settleLog()
            return alerts
        }
        // A growth rule is judged by what is remembered.
        state.saveGrowth { books.savedGrowth() }
    }
}

extension TrackingOptions {
    fileprivate init(_ settings: Settings.Tracking) {
        self.init(
            batchMilliseconds: settings.batchInterval.milliseconds,
            pollSeconds: max(1, settings.pollingInterval.milliseconds / 1000),
            auditSeconds: max(1, settings.auditInterval.milliseconds / 1000),
            watchLimit: settings.watchBudget ?? .max)
    }
}
