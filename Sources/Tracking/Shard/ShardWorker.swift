internal import Accounting
internal import Kernel
internal import SystemPackage

/// What the thread of a ``TrackingShard`` does.
final class ShardWorker {
    /// Between two looks at where a layer's path leads, which no event tells; nanoseconds.
    static let rootInterval: Int64 = 10_000_000_000

    static let drainLimit = 65_536
    static let shortestRescanGap: Int64 = 1_000_000_000

    let options: TrackingOptions
    let sink: any TrackingSink
    let pool: ScannerPool
    let budget: WatchBudget
    let inodes: InodeBudget
    let takeCommands: () -> [TrackingShard.Command]
    let publish: (TrackingCounters) -> Void
    /// Tells the other shards.
    let shareLinks: (LinkedFiles) -> Void
    /// Hands the result of a polling walk to this thread, with the number of the layer it was for.
    let returnPoll: @Sendable (Int, LayerReport) -> Void
    let wakeUp: WakeUp

    let instance: InotifyInstance
    let owners = WatchOwners()
    let mountWatch = MountWatch()
    let mounts = LayerMounts()
    var lastMountLook: Int64 = 0
    let sight = MountSight()
    /// A layer's mount is followed, so changes of mounts are waited for.
    var followsMounts = false
    var tracked: [Int: TrackedLayer] = [:]
    var indices: [LayerKey: Int] = [:]
    var counters = TrackingCounters()
    var retired = TrackerCounters()
    var drainedAt: Int64 = 0
    var firstEvent: Int64?
    var lastBatch: Int64 = 0
    var isOverflown = false
    var hasOverflown = false
    /// Nanoseconds from one look at everything after lost events to the next.
    var rescanGap = ShardWorker.shortestRescanGap
    var barriers: [TrackingShard.Answer] = []
    var isStopped = false

    init(
        options: TrackingOptions, sink: any TrackingSink, pool: ScannerPool, budget: WatchBudget,
        inodes: InodeBudget,
        instance: InotifyInstance, takeCommands: @escaping () -> [TrackingShard.Command],
        publish: @escaping (TrackingCounters) -> Void,
        shareLinks: @escaping (LinkedFiles) -> Void,
        returnPoll: @escaping @Sendable (Int, LayerReport) -> Void, wakeUp: WakeUp
    ) {
        self.instance = instance
        self.returnPoll = returnPoll
        self.options = options
        self.sink = sink
        self.pool = pool
        self.budget = budget
        self.inodes = inodes
        self.takeCommands = takeCommands
        self.publish = publish
        self.shareLinks = shareLinks
        self.wakeUp = wakeUp
    }

    func run() {
        while !isStopped {
            wait()
            wakeUp.clear()
            obey(takeCommands())
            drain()
            if hasOverflown { takeLongerQueue() }
            runBatches()
            publishCounters()
        }
        for entry in tracked.values { entry.tracker.release() }
    }

    func wait() {
        let descriptors = [wakeUp.descriptor] + (instance.inotify.map { [$0.descriptor] } ?? [])
        let isReady = Poll.wait(
            for: descriptors, urgent: followsMounts ? mountWatch.descriptor : nil,
            timeoutMilliseconds: timeout())
        if isReady.count > descriptors.count, isReady.last == true { noteMountChange() }
    }
}
