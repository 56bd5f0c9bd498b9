internal import Accounting
internal import Kernel
internal import Synchronization
internal import Tracking

/// The walks that are no layer's, on one thread: of what engines keep beside their layers, and of the blocks that files
/// share where the file system lets them.
///
/// A store is walked after its metadata changed, and now and then. A walk takes as long as a store is large, so the
/// pause after one is many times as long as it took.
final class StoreSurveys: Sendable {
    private struct Store {
        var overhead: OverheadFact?
        var holders: [ExtentSurvey.Holder]
        /// When it is to be walked; monotonic nanoseconds.
        var due: Int64
        /// Before which it is not walked again, unless someone asks.
        var restEnds: Int64 = 0
        var waiting: [FirstResult<Bool>] = []
        /// What ``UsageBooks/changes(of:)`` was when its extents were compared last.
        var comparedChanges: UInt64?
    }

    private struct State {
        var stores: [StoreIdentity: Store] = [:]
        var isStopped = false
    }

    private static let second: Int64 = 1_000_000_000
    /// Between two walks of a store of which nothing is told.
    private static let interval = 600 * second
    private static let shortestRest = second
    /// The same of one whose files share blocks, if its figures changed.
    private static let extentInterval = 60 * second
    /// How many times as long the pause after a walk is: half a percent of a core at most.
    private static let restFactor: Int64 = 200

    private let books: UsageBooks
    private let state = Mutex(State())
    private let wakeUp: WakeUp

    init(books: UsageBooks) throws(KernelError) {
        self.books = books
        wakeUp = try WakeUp()
    }

    func start() {
        NamedThread.start("surveys") { [self] in
            while !state.withLock({ $0.isStopped }) {
                wakeUp.clear()
                if let store = nextDue() { walk(store) } else { wait() }
            }
        }
    }

    func stop() {
        let waiting = state.withLock { state in
            state.isStopped = true
            defer { for store in state.stores.keys { state.stores[store]?.waiting = [] } }
            return state.stores.values.flatMap(\.waiting)
        }
        for result in waiting { result.give(false) }
        wakeUp.signal()
    }

    /// A store's metadata was read: what is beside its layers may have changed.
    func note(_ facts: StoreFacts) {
        let holders = facts.holders.map {
            ExtentSurvey.Holder(key: $0.key, directory: $0.directory, entries: $0.entries)
        }
        state.withLock { state in
            let now = Moment.now().uptime
            var known =
                state.stores[facts.store] ?? Store(overhead: facts.overhead, holders: holders, due: now)
            known.overhead = facts.overhead
            known.holders = holders
            known.due = min(known.due, max(now, known.restEnds))
            state.stores[facts.store] = known
        }
        wakeUp.signal()
    }

    func forget(_ store: StoreIdentity) {
        let waiting = state.withLock { $0.stores.removeValue(forKey: store)?.waiting ?? [] }
        for result in waiting { result.give(true) }
    }

    /// Walks all stores now; returns whether that was done in time.
    func refresh(milliseconds: Int) async -> Bool {
        let results = state.withLock { state in
            guard !state.isStopped else { return [FirstResult<Bool>]() }
            return state.stores.keys.map { store in
                let result = FirstResult<Bool>()
                state.stores[store]?.due = .min
                state.stores[store]?.waiting.append(result)
                return result
            }
        }
        wakeUp.signal()
        let end = Moment.now().uptime + Int64(milliseconds) * 1_000_000
        var isDone = true
        for result in results {
            let left = Int(max(0, end - Moment.now().uptime) / 1_000_000)
            isDone = await result.value(withinMilliseconds: left, otherwise: false) && isDone
        }
        return isDone
    }

    private func nextDue() -> StoreIdentity? {
        let now = Moment.now().uptime
        return state.withLock { state in
            let next = state.stores.min { $0.value.due < $1.value.due }
            return next.flatMap { $0.value.due <= now ? $0.key : nil }
        }
    }

    private func wait() {
        let due = state.withLock { $0.stores.values.map(\.due).min() }
        let milliseconds = due.map { max(0, ($0 - Moment.now().uptime + 999_999) / 1_000_000) }
        _ = Poll.wait(
            for: [wakeUp.descriptor], timeoutMilliseconds: milliseconds.map { Int32(clamping: $0) } ?? -1)
    }

    private func walk(_ store: StoreIdentity) {
        let begin = Moment.now().uptime
        // Who asks while it runs has another walk begun.
        let job = state.withLock { state in
            defer {
                state.stores[store]?.due = begin.addingClamped(Self.interval)
                state.stores[store]?.waiting = []
            }
            return state.stores[store]
        }
        guard let job else { return }
        if let overhead = job.overhead { walk(overhead, of: store) }
        let mayShare = compareExtents(job, of: store)
        let end = Moment.now().uptime
        let restEnds = end + max(Self.shortestRest, (end - begin) * Self.restFactor)
        state.withLock { state in
            guard let known = state.stores[store] else { return }
            state.stores[store]?.restEnds = restEnds
            guard known.due > .min else { return }
            let due = mayShare ? min(known.due, end + Self.extentInterval) : known.due
            state.stores[store]?.due = max(due, restEnds)
        }
        for result in job.waiting { result.give(true) }
    }

    private func walk(_ overhead: OverheadFact, of store: StoreIdentity) {
        let begin = Moment.now()
        do {
            let measure = try OverheadScanner.measure(overhead) { [self] in isGone(store) }
            books.record(measure, of: store, asOf: begin)
        } catch  where !isGone(store) {
            books.failOverhead(of: store, reason: "\(overhead.directory): \(error.advice)")
        } catch {
            // It was let go meanwhile.
        }
    }

    /// Compares which blocks are shared if anything changed; returns whether any may be.
    private func compareExtents(_ job: Store, of store: StoreIdentity) -> Bool {
        guard let status = try? FileSystemStatus.of(path: store.root), ExtentSurvey.mayShare(status) else {
            return false
        }
        books.expectSharedExtents(of: store)
        let begin = Moment.now()
        let changes = books.changes(of: store)
        guard changes != job.comparedChanges else { return true }
        do {
            let extents = try ExtentSurvey.run(job.holders) { [self] in isGone(store) }
            books.record(extents, of: store, asOf: begin)
            state.withLock { $0.stores[store]?.comparedChanges = changes }
        } catch  where !isGone(store) {
            let reason = "which files share blocks is not known: \(error.advice)"
            books.failSharedExtents(of: store, reason: reason)
        } catch {
            // It was let go meanwhile.
        }
        return true
    }

    private func isGone(_ store: StoreIdentity) -> Bool {
        state.withLock { $0.isStopped || $0.stores[store] == nil }
    }
}
