public import Accounting
public import Kernel
internal import Synchronization

/// Keeps the figures of all layers: immutable ones by one walk each, writable ones by their events.
public final class TrackingService: Sendable {
    private let shards: [TrackingShard]
    private let pool: ScannerPool
    private let links = LinkExchange()
    private let inodes: InodeBudget
    private let placement = Mutex<[LayerKey: Int]>([:])
    private let running = Mutex<Set<LayerKey>>([])

    /// More than most hosts have processors to spare: where nothing is cached a walk waits for the disk, and four at once
    /// take two thirds of the time that two do (100,000 entries on a virtual disk).
    private static let scannerThreads = 4

    public convenience init(
        options: TrackingOptions = TrackingOptions(), sink: any TrackingSink
    ) throws(KernelError) {
        try self.init(options: options, sink: sink, openInotify: Inotify.init)
    }

    init(
        options: TrackingOptions, sink: any TrackingSink,
        queueLength: @escaping @Sendable () -> Int? = { KernelLimits.queuedEvents?.value },
        openInotify: @escaping @Sendable () throws(KernelError) -> Inotify
    ) throws(KernelError) {
        pool = try ScannerPool(threads: Self.scannerThreads, options: options, sink: sink)
        let budget = WatchBudget(limit: options.watchLimit, riseSeconds: options.pollSeconds) {
            KernelLimits.watches?.value
        }
        inodes = InodeBudget(limit: options.inodeLimit)
        var shards: [TrackingShard] = []
        for index in 0..<max(1, options.shards) {
            shards.append(
                try TrackingShard(
                    index: index, options: options, sink: sink, pool: pool, budget: budget, inodes: inodes,
                    shareLinks: { [links] files in links.share(files, from: index) },
                    queueLength: queueLength, openInotify: openInotify))
        }
        self.shards = shards
        links.connect(shards)
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
    ///   - entries: Which entries of the directory count; where there are any, the directory itself does not.
    ///   - silence: Why the kernel's events of the directory do not tell all of it. Unless those of the mount tell the
    ///     rest, all of it is looked at each poll, and its figure is called so.
    ///   - mount: Where an engine mounts the layer; watched where there is a silence.
    public func track(
        _ key: LayerKey, directory: String, entries: [NamePattern] = [], silence: String? = nil,
        mount: OverlayMount? = nil
    ) {
        let shard = placement.withLock { placement in
            if let known = placement[key] { return known }
            var load = shards.map { _ in 0 }
            for index in placement.values { load[index] += 1 }
            let lightest = load.indices.min { load[$0] < load[$1] } ?? 0
            placement[key] = lightest
            return lightest
        }
        running.withLock { _ = $0.remove(key) }
        shards[shard].send(
            .track(key, TrackedDirectory(path: directory, entries: entries, silence: silence, mount: mount)))
    }

    /// Says whether the engine runs a container on a layer, which is mounted then, though perhaps in a namespace
    /// whose mounts are not seen here.
    public func setRunning(_ isRunning: Bool, _ key: LayerKey) {
        guard let shard = placement.withLock({ $0[key] }) else { return }
        let isNews = running.withLock { running in
            isRunning ? running.insert(key).inserted : running.remove(key) != nil
        }
        if isNews { shards[shard].send(.running(key, isRunning)) }
    }

    /// Measures an immutable layer, and again by itself as long as the figure may still change.
    public func measure(_ key: LayerKey, directory: String) {
        pool.measure(key, directory: directory)
    }

    /// Lets go of a layer, of either kind.
    public func forget(_ key: LayerKey) {
        pool.forget(key)
        running.withLock { _ = $0.remove(key) }
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
        let end = monotonicNanoseconds() + Int64(deadlineMilliseconds) * 1_000_000
        while true {
            let before = links.version
            let left = max(0, end - monotonicNanoseconds()) / 1_000_000
            guard let unsettled = await round(deadlineMilliseconds: Int(left)) else { return nil }
            // One layer may have found that another's file changed, after that one had answered.
            if links.version == before { return unsettled }
        }
    }

    private func round(deadlineMilliseconds: Int) async -> Set<LayerKey>? {
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
        links.connect([])
        for shard in shards { shard.send(.stop) }
        pool.stop()
    }
}
