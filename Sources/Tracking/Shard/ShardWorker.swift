internal import Accounting
internal import Kernel
internal import SystemPackage

/// What the thread of a ``TrackingShard`` does.
final class ShardWorker {
    /// Between two looks at where a layer's path leads, which no event tells; nanoseconds.
    static let rootInterval: Int64 = 10_000_000_000

    static let drainLimit = 65_536
    /// Ten times what one thread causes on the machine of the benchmarks, by writing to two files in turn.
    static let eventsPerMillisecond: Int64 = 1_100
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
    /// What all layers did that are or were tracked.
    var sum = TrackerCounters()
    /// Layers with something that the next batch is to look at.
    var ready: Set<Int> = []
    /// When each layer is next to be seen after without an event; earlier at times, never later.
    var agenda = Agenda<Int>()
    /// Counts how often a layer was seen after.
    var visits = 0
    var lastRootLook: Int64 = 0
    var drainedAt: Int64 = 0
    /// Change time of when a drain began that left nothing in the queue.
    var queuedSince = Int64.min
    /// Drains that were begun, and the last of them that left nothing.
    var drains = (begun: 0, emptied: 0)
    var firstEvent: Int64?
    var lastBatch: Int64 = 0
    var isOverflown = false
    var hasOverflown = false
    /// More events may wait in the kernel's queue than were taken at a time.
    var hasMore = false
    /// An overflow costs all layers of this thread a look at everything; in a flood without end these may take a
    /// twentieth of a processor at most, with so many nanoseconds from one to the next.
    var restAfterRescans: Int64 = 0
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
        var descriptors = [wakeUp.descriptor]
        let now = monotonicNanoseconds()
        var due = nextDue(now: now)
        if now < batchDue {
            // What comes now waits for the batch: each event of a burst would wake the thread for nothing.
            due = min(due, batchDue, now + longestRest)
        } else if let inotify = instance.inotify {
            descriptors.append(inotify.descriptor)
        }
        let isReady = Poll.wait(
            for: descriptors, urgent: followsMounts ? mountWatch.descriptor : nil,
            timeoutMilliseconds: Int32(clamping: max(0, (due - now + 999_999) / 1_000_000)))
        if isReady.count > descriptors.count, isReady.last == true { noteMountChange() }
    }
}
