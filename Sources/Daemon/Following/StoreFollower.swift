internal import Accounting
internal import Kernel
internal import Stores
internal import Synchronization
internal import SystemPackage

/// Follows one store's metadata on a thread of its own: reads it when its directories change, and tells the books.
final class StoreFollower: Sendable {
    private struct Shared {
        var barriers: [FirstResult<Bool>] = []
        var isRead = false
        var isStopped = false
        var hasEnded = false
        /// Called when the thread has ended.
        var atEnd: (@Sendable () -> Void)?
    }

    let location: StoreLocation
    let identity: StoreIdentity
    private let reader: any StoreReader
    private let books: UsageBooks
    private let layers: LayerDispatch
    private let surveys: StoreSurveys
    private let counters: DaemonCounters
    private let shared = Mutex(Shared())
    private let wakeUp: WakeUp

    init(
        location: StoreLocation, reader: any StoreReader, books: UsageBooks, layers: LayerDispatch,
        surveys: StoreSurveys, counters: DaemonCounters
    ) throws(KernelError) {
        self.location = location
        self.reader = reader
        identity = reader.identity
        self.books = books
        self.layers = layers
        self.surveys = surveys
        self.counters = counters
        wakeUp = try WakeUp()
    }

    func start() {
        layers.overlay.prepare(driver: identity.driver)
        NamedThread.start("store") { [self] in
            layers.cache.load(identity)
            Worker(self).run()
            for barrier in shared.withLock({ $0.barriers }) { barrier.give(false) }
            let atEnd = shared.withLock { shared in
                shared.hasEnded = true
                return shared.atEnd
            }
            atEnd?()
        }
    }

    func stop() {
        shared.withLock { $0.isStopped = true }
        wakeUp.signal()
    }

    /// Stops it, and calls `body` when its thread tells the books nothing more.
    func stop(then body: @escaping @Sendable () -> Void) {
        let hasEnded = shared.withLock { shared in
            shared.isStopped = true
            shared.atEnd = body
            return shared.hasEnded
        }
        if hasEnded { body() } else { wakeUp.signal() }
    }

    /// Whether the store was read once.
    var isRead: Bool { shared.withLock { $0.isRead } }

    /// Waits until every change of the metadata is in the books whose system call returned before this was called;
    /// returns whether it was so in time.
    func barrier(milliseconds: Int) async -> Bool {
        let result = FirstResult<Bool>()
        let isStopped = shared.withLock { shared in
            if !shared.isStopped { shared.barriers.append(result) }
            return shared.isStopped
        }
        if isStopped { return false }
        wakeUp.signal()
        let isInTime = await result.value(withinMilliseconds: milliseconds, otherwise: false)
        // The thread may hang in a call to a dead file system for ever, while questions go on.
        if !isInTime { shared.withLock { $0.barriers.removeAll { $0 === result } } }
        return isInTime
    }

    /// What the thread does.
    private final class Worker {
        private static let second: Int64 = 1_000_000_000
        /// Between two readings while changes come: an engine writes many files for one object.
        private static let rest: Int64 = 50_000_000
        /// For how long metadata may be half-written before it counts as damaged.
        ///
        /// It is longer than the reader's time of grace, so that what is called damaged is listed as well.
        private static let patience = 11 * second
        private static let pollSeconds = 10
        /// Between two looks at where the watched paths lead.
        private static let pathInterval = 10 * second
        /// Rounds of reading until no directory is new.
        private static let rounds = 4

        private let follower: StoreFollower
        private let watch = MetadataWatch()
        private var isChanged = true
        private var lastRead: Int64 = 0
        private var lastPathLook: Int64 = 0
        private var device = StoreDevice()
        private var again: Int64?
        private var retryDelay: Int64 = 0
        private var pendingSince: Int64?
        private var asked: [FirstResult<Bool>] = []

        init(_ follower: StoreFollower) {
            self.follower = follower
        }

        func run() {
            while !follower.shared.withLock({ $0.isStopped }) {
                wait()
                follower.wakeUp.clear()
                asked += follower.shared.withLock { shared in
                    defer { shared.barriers = [] }
                    return shared.barriers
                }
                if watch.drain() { isChanged = true }
                let now = Moment.now().uptime
                if !asked.isEmpty || now >= lastPathLook + Self.pathInterval {
                    lastPathLook = now
                    if watch.forgetMoved() { isChanged = true }
                }
                if let again, now >= again { isChanged = true }
                if isChanged, !asked.isEmpty || now >= lastRead + Self.rest { read() }
                for barrier in asked { barrier.give(true) }
                asked = []
            }
            for barrier in asked { barrier.give(false) }
        }

        private func wait() {
            let now = Moment.now().uptime
            var due = lastPathLook + Self.pathInterval
            if isChanged { due = min(due, lastRead + Self.rest) }
            if let again { due = min(due, again) }
            let milliseconds = Int32(clamping: max(0, (due - now + 999_999) / 1_000_000))
            let descriptors = [follower.wakeUp.descriptor] + (watch.descriptor.map { [$0] } ?? [])
            _ = Poll.wait(
                for: isChanged ? [follower.wakeUp.descriptor] : descriptors,
                timeoutMilliseconds: milliseconds)
        }

        private func read() {
            isChanged = false
            again = nil
            var reading = follower.reader.read()
            follower.counters.countMetadataRead()
            // Watch first, then read: what changed before a watch was there is read after it.
            var rounds = 1
            while watch.watch(reading.directories, databases: reading.databases), rounds < Self.rounds {
                _ = watch.drain()
                reading = follower.reader.read()
                follower.counters.countMetadataRead()
                rounds += 1
            }
            let now = Moment.now().uptime
            lastRead = now
            // The last reading may have named directories that nobody watches: who asks has it read again.
            let isWatched = rounds < Self.rounds
            if !isWatched { isChanged = true }

            var facts = reading.facts
            if let problem = device.problem(of: facts) { facts.problems.append(problem) }
            let isPending = facts.problems.contains { $0.severity == .pending }
            if isPending {
                let since = pendingSince ?? now
                pendingSince = since
                if now - since >= Self.patience {
                    facts = facts.hardened()
                    schedule(now + Self.patience)
                } else {
                    retryDelay = min(max(retryDelay * 2, 20_000_000), Self.second)
                    schedule(now + retryDelay)
                }
            } else {
                pendingSince = nil
                retryDelay = 0
            }
            if facts.problems.contains(where: { $0.severity == .unreadable }) {
                schedule(now + Int64(Self.pollSeconds) * Self.second)
            }
            var metadata: Confidence = isWatched ? .exact : .converging
            if let failure = watch.failure {
                metadata = .polling(reason: failure, seconds: Self.pollSeconds)
                schedule(now + Int64(Self.pollSeconds) * Self.second)
            }
            if let due = reading.readAgainAt { schedule(now + max(0, due - Moment.now().wall)) }
            let changes = follower.books.update(facts, metadata: metadata, watches: watch.count)
            follower.layers.apply(changes, of: follower.identity)
            follower.layers.note(facts.containers, of: follower.identity)
            // What could not be read leaves what was known.
            if !facts.problems.contains(where: { $0.severity == .unreadable }) {
                follower.surveys.note(facts)
            }
            // Whether figures are exact is also said of those that were told last: they have this store from now on.
            if !follower.isRead { follower.books.advance() }
            follower.shared.withLock { $0.isRead = true }
        }

        private func schedule(_ time: Int64) {
            again = min(again ?? time, time)
        }
    }
}
