internal import Accounting
internal import Kernel

// Looking at what is marked, and answering who asks.
extension ShardWorker {
    func runBatches() {
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
    func completeForBarrier() {
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

    func prepare(_ entry: TrackedLayer, _ index: Int, now: Int64, isAsked: Bool) {
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

    func run(_ entry: TrackedLayer, _ index: Int, at now: Int64) {
        let tracker = entry.tracker
        entry.nextRetry = nil
        tracker.inodeLimit = inodes.allowance(of: entry.key)
        // To find again that it is too large would take this thread from the other layers.
        guard entry.polledNames <= tracker.inodeLimit else { return report(entry, index, []) }
        let paths = tracker.runBatch(now: now) { [unowned self] in drain() }
        inodes.set(tracker.nameCount, of: entry.key)
        counters.batches += 1
        if let files = tracker.takeChangedLinks() {
            for other in tracked.values where other !== entry { other.tracker.note(files) }
            shareLinks(files)
        }
        report(entry, index, paths)
        distrust(entry)
    }

    /// Follows a layer of an overlay as if the kernel told nothing of data, where its audits give cause to.
    func distrust(_ entry: TrackedLayer) {
        guard entry.isChecked else { return }
        entry.isChecked = false
        guard entry.silence == nil, entry.place.mount != nil, entry.unheard.note(entry.tracker.correction)
        else { return }
        let reason = UnheardGrowth.reason
        sink.take(
            LayerReport(
                key: entry.key,
                outcome: .measured(
                    entry.tracker.measure, .polling(reason: reason, seconds: options.pollSeconds)),
                watches: entry.tracker.watchCount, paths: [], root: nil, directory: entry.directory,
                isFinal: true, distrust: reason))
        var place = entry.place
        place.silence = reason
        track(entry.key, place)
        // Something writes to it: if its mount cannot be seen, it is somewhere else.
        indices[entry.key].map { tracked[$0]?.mount?.isRunning = true }
    }
}
