internal import Accounting
internal import Kernel
internal import Synchronization
internal import Tracking

/// Walks what engines keep beside their layers, on one thread: after a store's metadata changed, and now and then.
///
/// A walk takes as long as a store has layers, so the pause after one is many times as long as it took.
final class OverheadWatch: Sendable {
    private struct Store {
        var fact: OverheadFact
        /// When it is to be walked; monotonic nanoseconds.
        var due: Int64
        /// Before which it is not walked again, unless someone asks.
        var restEnds: Int64 = 0
        var waiting: [FirstResult<Bool>] = []
    }

    private struct State {
        var stores: [StoreIdentity: Store] = [:]
        var isStopped = false
    }

    private static let second: Int64 = 1_000_000_000
    /// Between two walks of a store of which nothing is told.
    private static let interval = 600 * second
    private static let shortestRest = second
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
        NamedThread.start("overhead") { [self] in
            while !state.withLock({ $0.isStopped }) {
                wakeUp.clear()
                if let (store, fact) = nextDue() { walk(store, fact) } else { wait() }
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

    /// A store's metadata was read: its overhead may have changed.
    func note(_ fact: OverheadFact?, of store: StoreIdentity) {
        state.withLock { state in
            guard let fact else {
                state.stores[store] = nil
                return
            }
            let now = Moment.now().uptime
            var known = state.stores[store] ?? Store(fact: fact, due: now)
            known.fact = fact
            known.due = min(known.due, max(now, known.restEnds))
            state.stores[store] = known
        }
        wakeUp.signal()
    }

    func forget(_ store: StoreIdentity) {
        note(nil, of: store)
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

    private func nextDue() -> (StoreIdentity, OverheadFact)? {
        let now = Moment.now().uptime
        return state.withLock { state in
            guard let next = state.stores.min(by: { $0.value.due < $1.value.due }), next.value.due <= now
            else { return nil }
            return (next.key, next.value.fact)
        }
    }

    private func wait() {
        let due = state.withLock { $0.stores.values.map(\.due).min() }
        let milliseconds = due.map { max(0, ($0 - Moment.now().uptime + 999_999) / 1_000_000) }
        _ = Poll.wait(
            for: [wakeUp.descriptor], timeoutMilliseconds: milliseconds.map { Int32(clamping: $0) } ?? -1)
    }

    private func walk(_ store: StoreIdentity, _ fact: OverheadFact) {
        let begin = Moment.now()
        // Who asks while it runs has another walk begun.
        let waiting = state.withLock { state in
            state.stores[store]?.due = begin.uptime.addingClamped(Self.interval)
            defer { state.stores[store]?.waiting = [] }
            return state.stores[store]?.waiting ?? []
        }
        do {
            let measure = try OverheadScanner.measure(fact) { [self] in
                state.withLock { $0.isStopped || $0.stores[store]?.fact.directory != fact.directory }
            }
            books.record(measure, of: store, asOf: begin)
        } catch {
            // What was cancelled is nobody's any more.
            if state.withLock({ !$0.isStopped && $0.stores[store] != nil }) {
                books.failOverhead(of: store, reason: "\(fact.directory): \(error.advice)")
            }
        }
        let end = Moment.now().uptime
        let rest = max(Self.shortestRest, (end - begin.uptime) * Self.restFactor)
        state.withLock { state in
            guard let known = state.stores[store] else { return }
            state.stores[store]?.restEnds = end + rest
            if known.due > .min, known.due < end + rest { state.stores[store]?.due = end + rest }
        }
        for result in waiting { result.give(true) }
    }
}
