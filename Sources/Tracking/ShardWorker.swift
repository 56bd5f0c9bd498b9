internal import Accounting
internal import Kernel
internal import SystemPackage

/// What the thread of a ``TrackingShard`` does.
final class ShardWorker {
    private final class Tracked {
        let key: LayerKey
        let directory: String
        let tracker: LayerTracker<KernelFileSystem>
        /// Why the events of its own directories do not tell all of it; `nil` where they do.
        let silence: String?
        /// Where an engine mounts it.
        let place: OverlayMount?
        /// The mount, if its events are to tell the rest.
        let mount: MergedMount?
        var unheard = UnheardGrowth()
        /// The next batch checks what the events told.
        var isChecked = false
        var lastReported: LayerReport.Outcome?
        var lastWatches = -1
        var lastAudit: Int64
        var lastRootLook: Int64
        var lastEvent: Int64 = 0
        var nextRetry: Int64?
        var wasPolled = false
        /// Those that the last walk found, while it is polled.
        var polledDirectories = 0
        var watchesNeeded: Int { wasPolled ? polledDirectories : tracker.watchCount }

        /// Why events do not tell all of it now; `nil` where they do.
        var deafness: String? {
            guard let silence, let mount else { return silence }
            return (mount.doubt ?? tracker.mountDoubt).map { "\(silence); \($0)" }
        }

        /// Whether the figure holds all that was told before the last batch.
        var isAnswered: Bool { tracker.isAnswered && mount?.isUncertain != true }
        /// What the last pass counted.
        var polledInodes = 0

        /// Whether a look at everything is so quick that a barrier may wait for it.
        var isCheap: Bool { tracker.fullLookEstimate < 100_000_000 }

        init(
            _ key: LayerKey, _ directory: String, _ tracker: LayerTracker<KernelFileSystem>,
            silence: String?, place: OverlayMount?, mount: MergedMount?, now: Int64
        ) {
            self.silence = silence
            self.place = place
            self.mount = mount
            self.key = key
            self.directory = directory
            self.tracker = tracker
            lastAudit = now
            lastRootLook = now
        }
    }

    /// Between two looks at where a layer's path leads, which no event tells; nanoseconds.
    private static let rootInterval: Int64 = 10_000_000_000

    private static let drainLimit = 65_536
    private static let shortestRescanGap: Int64 = 1_000_000_000

    private let options: TrackingOptions
    private let sink: any TrackingSink
    private let pool: ScannerPool
    private let budget: WatchBudget
    private let inodes: InodeBudget
    private let takeCommands: () -> [TrackingShard.Command]
    private let publish: (TrackingCounters) -> Void
    /// Tells the other shards.
    private let shareLinks: (LinkedFiles) -> Void
    /// Hands the result of a polling walk to this thread, with the number of the layer it was for.
    private let returnPoll: @Sendable (Int, LayerReport) -> Void
    private let wakeUp: WakeUp

    private let instance: InotifyInstance
    private let owners = WatchOwners()
    private let mountWatch = MountWatch()
    private let mounts = LayerMounts()
    private var lastMountLook: Int64 = 0
    private let sight = MountSight()
    /// A layer's mount is followed, so changes of mounts are waited for.
    private var followsMounts = false
    private var tracked: [Int: Tracked] = [:]
    private var indices: [LayerKey: Int] = [:]
    private var counters = TrackingCounters()
    private var retired = TrackerCounters()
    private var drainedAt: Int64 = 0
    private var firstEvent: Int64?
    private var lastBatch: Int64 = 0
    private var isOverflown = false
    private var hasOverflown = false
    /// Nanoseconds from one look at everything after lost events to the next.
    private var rescanGap = ShardWorker.shortestRescanGap
    private var barriers: [TrackingShard.Answer] = []
    private var isStopped = false

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

    // MARK: Waiting

    private func wait() {
        let descriptors = [wakeUp.descriptor] + (instance.inotify.map { [$0.descriptor] } ?? [])
        let isReady = Poll.wait(
            for: descriptors, urgent: followsMounts ? mountWatch.descriptor : nil,
            timeoutMilliseconds: timeout())
        if isReady.count > descriptors.count, isReady.last == true { noteMountChange() }
    }

    private func timeout() -> Int32 {
        guard barriers.isEmpty else { return 0 }
        let now = monotonicNanoseconds()
        var due = now + 60_000_000_000
        if firstEvent != nil { due = min(due, batchDue) }
        for entry in tracked.values {
            if let retry = entry.nextRetry { due = min(due, retry) }
            if let settle = entry.tracker.nextSettle { due = min(due, settle) }
            if entry.tracker.hasPending || entry.tracker.hasRestats, entry.nextRetry == nil {
                due = min(due, batchDue)
            }
            if entry.tracker.needsAudit { due = min(due, auditDue(entry)) }
            if let refresh = entry.mount?.nextRefresh { due = min(due, refresh) }
            if entry.mount?.isChanged == true { due = min(due, batchDue) }
            due = min(due, entry.lastAudit + auditInterval(entry), entry.lastRootLook + Self.rootInterval)
        }
        let milliseconds = (due - now + 999_999) / 1_000_000
        return Int32(clamping: max(0, milliseconds))
    }

    /// The first event after a rest is applied nearly at once; more of them wait for the next batch.
    private var batchDue: Int64 {
        max(
            lastBatch + Int64(options.batchMilliseconds) * 1_000_000,
            (firstEvent ?? 0) + 2_000_000)
    }

    private func auditDue(_ entry: Tracked) -> Int64 {
        let last = entry.tracker.lastFullLook?.end ?? 0
        if entry.tracker.hasLostEvents { return last + rescanGap }
        // A busy layer may be suspect again at once, so an audit may take a hundredth of a processor at most; one at
        // rest is settled by it.
        let atRest = max(
            entry.lastEvent + 1_000_000_000,
            last + max(1_000_000_000, entry.tracker.restAfterFullLook(share: 20)))
        return min(atRest, last + max(5_000_000_000, entry.tracker.restAfterFullLook(share: 100)))
    }

    /// An overflow costs all layers of this thread a look at everything; in a flood without end these may take a
    /// twentieth of a processor at most.
    private func spaceRescans() {
        let rest = tracked.values.reduce(Int64(0)) { sum, entry in
            sum.addingClamped(entry.tracker.hasLostEvents ? entry.tracker.restAfterFullLook(share: 20) : 0)
        }
        rescanGap = max(Self.shortestRescanGap, rest)
    }

    // MARK: Commands

    private func obey(_ commands: [TrackingShard.Command]) {
        for command in commands {
            switch command {
            case .track(let key, let directory, let silence, let mount):
                track(key, directory, silence, mount)
            case .running(let key, let isRunning):
                indices[key].map { tracked[$0]?.mount?.isRunning = isRunning }
            case .forget(let key): forget(key)
            case .linked(let files): for entry in tracked.values { entry.tracker.note(files) }
            case .polled(let index, let report): take(report, ofPoll: index)
            case .barrier(let answer): barriers.append(answer)
            case .stop: isStopped = true
            }
        }
        if isStopped {
            for answer in barriers { answer(nil) }
            barriers = []
        }
    }

    private func track(
        _ key: LayerKey, _ directory: String, _ silence: String?, _ place: OverlayMount?
    ) {
        forget(key)
        let index = budget.register()
        let watches = LayerWatches(instance: instance, owners: owners, budget: budget, layer: index)
        let mount =
            silence == nil
            ? nil
            : place.map {
                MergedMount($0, watches: watches, sight: sight, pollSeconds: options.pollSeconds)
            }
        if mount != nil { followsMounts = true }
        let tracker = LayerTracker(
            fileSystem: KernelFileSystem(
                path: directory, watches: watches, mask: options.watchMask, merged: mount),
            settleSeconds: options.settling.looksAfterSeconds)
        tracker.depthLimit = options.depthLimit
        tracked[index] = Tracked(
            key, directory, tracker, silence: silence, place: place, mount: mount,
            now: monotonicNanoseconds())
        indices[key] = index
    }

    private func forget(_ key: LayerKey) {
        pool.cancelPoll(key)
        inodes.remove(key)
        guard let index = indices.removeValue(forKey: key), let entry = tracked.removeValue(forKey: index)
        else { return }
        entry.tracker.release()
        entry.mount?.release()
        retired.add(entry.tracker.counters)
    }

    // MARK: Events

    private func drain() {
        guard let inotify = instance.inotify else { return }
        drainedAt = monotonicNanoseconds()
        do {
            // A flood may not hold the thread, but a barrier needs all that was queued when it came.
            let asked = barriers.isEmpty ? 0 : try inotify.pendingBytes()
            _ = try inotify.drain(limit: Self.drainLimit, atLeast: asked) { event in take(event) }
        } catch {
            isOverflown = true
        }
        if isOverflown {
            isOverflown = false
            hasOverflown = true
            counters.overflows += 1
            for entry in tracked.values {
                entry.tracker.noteOverflow()
                entry.mount?.noteDoubt(eventsWereLost: true)
            }
        }
    }

    /// After an overflow everything is looked at again, and that is the time to take a queue of the length that the
    /// kernel allows by now.
    private func takeLongerQueue() {
        hasOverflown = false
        _ = instance.replaceIfOutgrown {
            for entry in tracked.values { entry.tracker.release() }
        }
    }

    private func take(_ event: InotifyEvent) {
        counters.events += 1
        if firstEvent == nil { firstEvent = drainedAt }
        if event.mask.contains(.queueOverflow) {
            isOverflown = true
            return
        }
        guard let index = owners.owner(of: event.watch) else { return }
        if let entry = tracked[index] {
            entry.lastEvent = drainedAt
            entry.mount?.note(event)
            entry.tracker.note(event)
        }
        if event.mask.contains(.ignored), owners.release(event.watch, from: index) {
            budget.give(for: index)
        }
    }

    // MARK: Batches

    private func runBatches() {
        let now = monotonicNanoseconds()
        spaceRescans()
        let asked = barriers
        barriers = []
        if mountWatch.hasChanged() { noteMountChange() }
        let isDue = firstEvent != nil && now >= batchDue
        if !asked.isEmpty || isDue { firstEvent = nil }
        lookAtMounts(now: now, isAsked: !asked.isEmpty)
        var hasRun = false
        // The owner of each entry may change while a batch runs, so go by index.
        for index in tracked.keys.sorted() {
            guard let entry = tracked[index] else { continue }
            refreshMount(entry, index, at: now, isAsked: !asked.isEmpty)
            prepare(entry, index, now: now, isAsked: !asked.isEmpty)
            let tracker = entry.tracker
            let isWaiting = entry.nextRetry.map { now < $0 } ?? false
            guard !isWaiting, tracker.hasPending || tracker.hasRestats else { continue }
            let isRetry = entry.nextRetry != nil
            guard !asked.isEmpty || isDue || isRetry || entry.lastReported == nil || now >= batchDue else {
                continue
            }
            run(entry, index, at: now)
            hasRun = true
        }
        if !asked.isEmpty { completeForBarrier() }
        if isDue || hasRun || !asked.isEmpty { lastBatch = monotonicNanoseconds() }
        guard !asked.isEmpty else { return }
        // What came during the batch is not part of the question.
        var unsettled: Set<LayerKey> = []
        for entry in tracked.values where !entry.isAnswered { unsettled.insert(entry.key) }
        for answer in asked { answer(unsettled) }
    }

    /// Whoever asks has the looks made that a batch could not make, and a look at everything where the batch found
    /// cause for one that is quickly done.
    private func completeForBarrier() {
        for index in tracked.keys.sorted() {
            guard let entry = tracked[index] else { continue }
            for _ in 0..<4 where !entry.isAnswered && entry.nextRetry == nil {
                if entry.tracker.needsAudit {
                    guard entry.isCheap else { break }
                    entry.tracker.audit()
                }
                refreshMount(entry, index, at: monotonicNanoseconds(), isAsked: false)
                run(entry, index, at: monotonicNanoseconds())
            }
        }
    }

    private func lookAtMounts(now: Int64, isAsked: Bool) {
        guard isAsked || now >= lastMountLook + Self.rootInterval else { return }
        lastMountLook = now
        let changes = mounts.changes()
        guard !changes.isEmpty else { return }
        for entry in tracked.values
        where changes.contains(where: { $0.path.hasPrefix(entry.directory + "/") }) {
            entry.tracker.lookAgain()
        }
    }

    private func noteMountChange() {
        mounts.noteChange()
        for entry in tracked.values { entry.mount?.noteDoubt(eventsWereLost: false) }
    }

    /// Sees after what was told of the layer's mount, before anything of the layer is called exact.
    private func refreshMount(_ entry: Tracked, _ index: Int, at now: Int64, isAsked: Bool) {
        guard let mount = entry.mount,
            mount.isChanged || isAsked && mount.isAwaited || now >= mount.nextRefresh ?? .max
        else { return }
        if mount.refresh(at: now, upper: entry.directory, isAsked: isAsked) { entry.tracker.lookAgain() }
        // What was reported may be called otherwise now, though nothing is to be looked at.
        if !entry.tracker.hasPending, entry.tracker.failure == nil { report(entry, index, []) }
    }

    private func prepare(_ entry: Tracked, _ index: Int, now: Int64, isAsked: Bool) {
        let tracker = entry.tracker
        tracker.markSettled(by: now)
        if isAsked { tracker.markUnsettled() }
        if isAsked || now >= entry.lastRootLook + Self.rootInterval {
            entry.lastRootLook = now
            tracker.lookAtRoot()
            if budget.mustYield(index) {
                tracker.yieldWatches(isBoundByConfiguration: budget.isBoundByConfiguration)
                report(entry, index, [])
            }
        }
        if now >= entry.lastAudit + auditInterval(entry) {
            entry.lastAudit = now
            // Where events tell little, finding more is no correction.
            if entry.deafness == nil { tracker.auditUnasked() } else { tracker.audit() }
            entry.isChecked = tracker.isCheck
        }
        guard tracker.needsAudit else { return }
        if now >= auditDue(entry) || (isAsked && entry.isCheap) { tracker.audit() }
    }

    private func run(_ entry: Tracked, _ index: Int, at now: Int64) {
        let tracker = entry.tracker
        entry.nextRetry = nil
        tracker.inodeLimit = inodes.allowance(of: entry.key)
        // To find again that it is too large would take this thread from the other layers.
        guard entry.polledInodes <= tracker.inodeLimit else { return report(entry, index, []) }
        let paths = tracker.runBatch(now: now) { [unowned self] in drain() }
        inodes.set(tracker.inodeCount, of: entry.key)
        counters.batches += 1
        if let files = tracker.takeChangedLinks() {
            for other in tracked.values where other !== entry { other.tracker.note(files) }
            shareLinks(files)
        }
        report(entry, index, paths)
        distrust(entry)
    }

    /// Follows a layer of an overlay as if the kernel told nothing of data, where its audits give cause to.
    private func distrust(_ entry: Tracked) {
        guard entry.isChecked else { return }
        entry.isChecked = false
        guard entry.silence == nil, let place = entry.place, entry.unheard.note(entry.tracker.correction)
        else { return }
        let reason = UnheardGrowth.reason
        sink.take(
            LayerReport(
                key: entry.key,
                outcome: .measured(
                    entry.tracker.measure, .polling(reason: reason, seconds: options.pollSeconds)),
                watches: entry.tracker.watchCount, paths: [], root: nil, directory: entry.directory,
                isFinal: true, distrust: reason))
        track(entry.key, entry.directory, reason, place)
        // Something writes to it: if its mount cannot be seen, it is somewhere else.
        indices[entry.key].map { tracked[$0]?.mount?.isRunning = true }
    }

    private func report(_ entry: Tracked, _ index: Int, _ paths: [PathGrowth]) {
        let tracker = entry.tracker
        let now = monotonicNanoseconds()
        let outcome: LayerReport.Outcome
        switch tracker.failure {
        case nil:
            outcome = .measured(tracker.measure, confidence(of: entry))
            if entry.wasPolled { pool.cancelPoll(entry.key) }
            entry.wasPolled = false
            entry.polledInodes = 0
        case .unreadable(let error):
            outcome = .failed(reason: "\(entry.directory): \(error.advice)")
            entry.nextRetry = now + 1_000_000_000
        case .untrackable(let reason):
            // The walk reports it, and the next try to watch is a poll later.
            entry.nextRetry = now + Int64(options.pollSeconds) * 1_000_000_000
            entry.wasPolled = true
            entry.lastReported = nil
            pool.poll(
                ScannerPool.PollJob(
                    key: entry.key, directory: entry.directory,
                    confidence: .polling(reason: reason, seconds: options.pollSeconds),
                    deliver: { [returnPoll] in returnPoll(index, $0) }))
            return
        }
        guard outcome != entry.lastReported || tracker.watchCount != entry.lastWatches else { return }
        entry.lastReported = outcome
        entry.lastWatches = tracker.watchCount
        sink.take(
            LayerReport(
                key: entry.key, outcome: outcome, watches: tracker.watchCount, paths: paths, root: nil,
                directory: entry.directory, isFinal: true, correction: tracker.correction))
    }

    private func confidence(of entry: Tracked) -> Confidence {
        if let deafness = entry.deafness {
            return .polling(reason: deafness, seconds: options.pollSeconds)
        }
        return entry.isAnswered ? .exact : .converging
    }

    /// How often all of a layer is looked at without an event, nanoseconds.
    private func auditInterval(_ entry: Tracked) -> Int64 {
        let seconds = entry.deafness == nil ? options.auditSeconds : options.pollSeconds
        // It may not take more than a tenth of a processor.
        return max(Int64(seconds) * 1_000_000_000, entry.tracker.restAfterFullLook(share: 10))
    }

    /// A walk may end after the layer was forgotten, or after watches had returned and told the exact figure.
    private func take(_ report: LayerReport, ofPoll index: Int) {
        guard let entry = tracked[index], entry.wasPolled else { return }
        if case .measured(let measure, _) = report.outcome {
            entry.polledDirectories = report.directories
            entry.polledInodes = Int(clamping: measure.total.inodes)
        }
        sink.take(report)
    }

    private func publishCounters() {
        var sum = retired
        for entry in tracked.values { sum.add(entry.tracker.counters) }
        var counters = counters
        counters.directoriesRead = sum.directoriesRead
        counters.looks = sum.looks
        counters.fullLooks = sum.fullLooks
        counters.audits = sum.audits
        counters.corrections = sum.corrections
        counters.watches = Int64(owners.count)
        counters.watchesNeeded = tracked.values.reduce(0) { $0 + Int64($1.watchesNeeded) }
        counters.queueLength = instance.queueLength
        publish(counters)
    }
}
