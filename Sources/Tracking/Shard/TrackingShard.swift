internal import Accounting
internal import Kernel
internal import Synchronization
internal import SystemPackage

/// One thread with one inotify instance that tracks some of the writable layers.
///
/// The thread alone touches the trackers. It empties the kernel's queue before and during each batch, so that
/// looking never costs events, and it looks only between two emptyings, so that nothing is looked at per event.
final class TrackingShard: Sendable {
    /// Takes the layers whose figures do not hold everything that was queued before the question was asked;
    /// `nil` when the thread has ended and so no figure of its layers is known to hold.
    typealias Answer = @Sendable (Set<LayerKey>?) -> Void

    enum Command: Sendable {
        case track(LayerKey, TrackedDirectory)
        case running(LayerKey, Bool)
        case forget(LayerKey)
        case barrier(Answer)
        case polled(Int, LayerReport)
        /// A layer of another shard found these files changed.
        case linked(LinkedFiles)
        case stop
    }

    private struct Shared {
        var commands: [Command] = []
        var counters = TrackingCounters()
        var isStopped = false
    }

    private let shared = Mutex(Shared())
    private let wakeUp: WakeUp
    private let index: Int
    private let options: TrackingOptions
    private let sink: any TrackingSink
    private let pool: ScannerPool
    private let budget: WatchBudget
    private let inodes: InodeBudget
    private let shareLinks: @Sendable (LinkedFiles) -> Void
    private let queueLength: @Sendable () -> Int?
    private let openInotify: @Sendable () throws(KernelError) -> Inotify

    init(
        index: Int, options: TrackingOptions, sink: any TrackingSink, pool: ScannerPool, budget: WatchBudget,
        inodes: InodeBudget,
        shareLinks: @escaping @Sendable (LinkedFiles) -> Void,
        queueLength: @escaping @Sendable () -> Int?,
        openInotify: @escaping @Sendable () throws(KernelError) -> Inotify
    ) throws(KernelError) {
        self.index = index
        self.options = options
        self.sink = sink
        self.pool = pool
        self.budget = budget
        self.inodes = inodes
        self.shareLinks = shareLinks
        self.queueLength = queueLength
        self.openInotify = openInotify
        wakeUp = try WakeUp()
    }

    func start() {
        NamedThread.start("track-\(index)") { [self] in
            let worker = ShardWorker(
                options: options, sink: sink, pool: pool, budget: budget, inodes: inodes,
                instance: InotifyInstance(allowedQueueLength: queueLength, openInotify),
                takeCommands: { [self] in takeCommands() },
                publish: { [self] counters in shared.withLock { $0.counters = counters } },
                shareLinks: shareLinks,
                returnPoll: { [weak self] index, report in self?.send(.polled(index, report)) },
                wakeUp: wakeUp)
            worker.run()
            let left = shared.withLock { shared in
                shared.isStopped = true
                defer { shared.commands = [] }
                return shared.commands
            }
            for case .barrier(let answer) in left { answer(nil) }
        }
    }

    func send(_ command: Command) {
        let isStopped = shared.withLock { shared in
            if !shared.isStopped { shared.commands.append(command) }
            return shared.isStopped
        }
        if isStopped {
            if case .barrier(let answer) = command { answer(nil) }
            return
        }
        wakeUp.signal()
    }

    var counters: TrackingCounters { shared.withLock { $0.counters } }

    private func takeCommands() -> [Command] {
        shared.withLock { shared in
            defer { shared.commands = [] }
            return shared.commands
        }
    }
}
