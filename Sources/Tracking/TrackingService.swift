public import Accounting
public import Kernel
internal import Synchronization

/// Keeps the figures of all layers: immutable ones by one walk each, writable ones by their events.
public final class TrackingService: Sendable {
    private let shards: [TrackingShard]
    private let pool: ScannerPool
    private let inodes: InodeBudget
    private let placement = Mutex<[LayerKey: Int]>([:])

    public convenience init(
        options: TrackingOptions = TrackingOptions(), sink: any TrackingSink
    ) throws(KernelError) {
        try self.init(options: options, sink: sink, openInotify: Inotify.init)
    }

    init(
        options: TrackingOptions, sink: any TrackingSink,
        queueLength: @escaping @Sendable () -> Int? = { KernelLimits.current().queuedEvents?.value },
        openInotify: @escaping @Sendable () throws(KernelError) -> Inotify
    ) throws(KernelError) {
        pool = try ScannerPool(threads: 2, options: options, sink: sink)
        let budget = WatchBudget(limit: options.watchLimit)
        inodes = InodeBudget(limit: options.inodeLimit)
        var shards: [TrackingShard] = []
        for index in 0..<max(1, options.shards) {
            shards.append(
                try TrackingShard(
                    index: index, options: options, sink: sink, pool: pool, budget: budget, inodes: inodes,
                    queueLength: queueLength, openInotify: openInotify))
        }
        self.shards = shards
    }

    public func start() {
        startScanners()
        startShards()
    }

    func startScanners() { pool.start() }

    func startShards() {
        for shard in shards { shard.start() }
    }

    /// Whether a layer that is polled waits for its walk.
    var isPollQueued: Bool { pool.isPollQueued }

    /// Follows a writable layer's directory from now on.
    ///
    /// - Parameters:
    ///   - key: Which layer.
    ///   - directory: Its directory of differences.
    ///   - silence: Why the kernel's events do not tell all of it; then all of it is looked at each poll, and its
    ///     figure is called so.
    public func track(_ key: LayerKey, directory: String, silence: String? = nil) {
        let shard = placement.withLock { placement in
            if let known = placement[key] { return known }
            var load = shards.map { _ in 0 }
            for index in placement.values { load[index] += 1 }
            let lightest = load.indices.min { load[$0] < load[$1] } ?? 0
            placement[key] = lightest
            return lightest
        }
        shards[shard].send(.track(key, directory: directory, silence: silence))
    }

    /// Measures an immutable layer, and again by itself as long as the figure may still change.
    public func measure(_ key: LayerKey, directory: String) {
        pool.measure(key, directory: directory)
    }

    /// Lets go of a layer, of either kind.
    public func forget(_ key: LayerKey) {
        pool.forget(key)
        guard let shard = placement.withLock({ $0.removeValue(forKey: key) }) else { return }
        shards[shard].send(.forget(key))
    }

    /// Waits until every change is applied whose system call returned before this was called, at most until
    /// `deadlineMilliseconds` have passed.
    ///
    /// Immutable layers whose figures are not final are measured once more; those never measured are not waited
    /// for. Returns the layers whose figures may lack something, or `nil` when the time was over and not even
    /// that is known.
    public func barrier(deadlineMilliseconds: Int) async -> Set<LayerKey>? {
        await withCheckedContinuation { continuation in
            let gathering = Gathering(count: shards.count + 1) { continuation.resume(returning: $0) }
            for (index, shard) in shards.enumerated() {
                shard.send(.barrier { [self] unsettled in gathering.add(unsettled ?? keys(on: index)) })
            }
            let walks = pool.barrier { gathering.add($0) }
            NamedTimer.shared.run(afterMilliseconds: deadlineMilliseconds) { [pool] in
                pool.giveUp(walks)
                gathering.giveUp()
            }
        }
    }

    private func keys(on shard: Int) -> Set<LayerKey> {
        placement.withLock { placement in Set(placement.filter { $0.value == shard }.keys) }
    }

    public var counters: TrackingCounters {
        var sum = pool.counters
        for shard in shards { sum += shard.counters }
        sum.inodes = Int64(inodes.total)
        sum.inodeLimit = Int64(inodes.limit)
        return sum
    }

    public func stop() {
        for shard in shards { shard.send(.stop) }
        pool.stop()
    }

    /// Collects the answers of all shards and of the scanners, or gives up.
    private final class Gathering: Sendable {
        private struct State {
            var missing: Int
            var unsettled: Set<LayerKey> = []
            var isDone = false
        }

        private let state: Mutex<State>
        private let finish: @Sendable (Set<LayerKey>?) -> Void

        init(count: Int, _ finish: @escaping @Sendable (Set<LayerKey>?) -> Void) {
            state = Mutex(State(missing: count))
            self.finish = finish
        }

        func add(_ unsettled: Set<LayerKey>) {
            let all: Set<LayerKey>? = state.withLock { state in
                state.unsettled.formUnion(unsettled)
                state.missing -= 1
                guard state.missing == 0, !state.isDone else { return nil }
                state.isDone = true
                return state.unsettled
            }
            if let all { finish(all) }
        }

        func giveUp() {
            let isFirst = state.withLock { state in
                defer { state.isDone = true }
                return !state.isDone
            }
            if isFirst { finish(nil) }
        }
    }
}
