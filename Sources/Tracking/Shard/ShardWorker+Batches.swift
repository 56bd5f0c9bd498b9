internal import Accounting
internal import Kernel

// Looking at what is marked, and answering who asks.
extension ShardWorker {
    func runBatches() {
        let now = monotonicNanoseconds()
        let asked = barriers
        barriers = []
        if mountWatch.hasChanged() { noteMountChange() }
        let isBatch = now >= batchDue
        let isDue = isBatch && firstEvent != nil
        if !asked.isEmpty || isDue { firstEvent = nil }
        lookAtMounts(now: now, isAsked: !asked.isEmpty)
        lookAtRoots(now: now)
        var hasRun = false
        for index in layersToVisit(now: now, isBatch: isBatch, isAsked: !asked.isEmpty) {
            guard let entry = tracked[index] else { continue }
            if visit(entry, now: now, isBatch: isBatch, isAsked: !asked.isEmpty) { hasRun = true }
        }
        if !asked.isEmpty { completeForBarrier() }
        if isDue || hasRun || !asked.isEmpty { lastBatch = monotonicNanoseconds() }
        guard !asked.isEmpty else { return }
        // What came during the batch is not part of the question.
        var unsettled: Set<LayerKey> = []
        for entry in tracked.values where !entry.isAnswered { unsettled.insert(entry.key) }
        for answer in asked { answer(unsettled) }
    }

    /// All layers where somebody asks, else those whose time has come, and those that have something marked where it is
    /// time for a batch.
    private func layersToVisit(now: Int64, isBatch: Bool, isAsked: Bool) -> [Int] {
        let due = now >= agenda.next ?? .max ? agenda.takeDue(at: now) : []
        guard isAsked || isBatch else { return due }
        defer { ready.removeAll(keepingCapacity: true) }
        if isAsked { return tracked.keys.sorted() }
        return due.isEmpty ? Array(ready) : Array(ready.union(due))
    }

    /// Sees after one layer; returns whether its places were looked at.
    private func visit(_ entry: TrackedLayer, now: Int64, isBatch: Bool, isAsked: Bool) -> Bool {
        visits += 1
        defer { plan(entry) }
        refreshMount(entry, at: now, isAsked: isAsked)
        prepare(entry, now: now, isAsked: isAsked)
        guard entry.hasMarks, now >= entry.nextRetry ?? 0 else { return false }
        let isDue = isBatch || entry.pace.isBusy
        guard
            isAsked || isDue && now >= entry.pace.next(interval: batchInterval) || entry.nextRetry != nil
                || entry.lastReported == nil
        else { return false }
        entry.pace.note(now, interval: batchInterval)
        run(entry, at: now)
        return true
    }

    /// Whoever asks has the looks made that a batch could not make, and a look at everything where the batch found
    /// cause for one that is quickly done.
    func completeForBarrier() {
        for index in tracked.keys.sorted() {
            guard let entry = tracked[index], !entry.isAnswered else { continue }
            for _ in 0..<4 where !entry.isAnswered && entry.nextRetry == nil {
                if entry.tracker.needsAudit {
                    guard entry.isCheap else { break }
                    entry.tracker.audit()
                }
                refreshMount(entry, at: monotonicNanoseconds(), isAsked: false)
                run(entry, at: monotonicNanoseconds())
            }
            plan(entry)
        }
    }

    func prepare(_ entry: TrackedLayer, now: Int64, isAsked: Bool) {
        let tracker = entry.tracker
        tracker.markSettled(by: now)
        if isAsked {
            tracker.markUnsettled()
            lookAtRoot(entry)
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

    func run(_ entry: TrackedLayer, at now: Int64) {
        let tracker = entry.tracker
        entry.nextRetry = nil
        tracker.inodeLimit = inodes.allowance(of: entry.key)
        // To find again that it is too large would take this thread from the other layers.
        guard entry.polledNames <= tracker.inodeLimit else { return report(entry, []) }
        let paths = tracker.runBatch(now: now) { [unowned self] in drain() }
        inodes.set(tracker.nameCount, of: entry.key)
        counters.batches += 1
        if let files = tracker.takeChangedLinks() {
            note(files, except: entry)
            shareLinks(files)
        }
        report(entry, paths)
        distrust(entry)
    }

    /// Has files looked at again by the layers that have names of them.
    func note(_ files: LinkedFiles, except finder: TrackedLayer? = nil) {
        for other in tracked.values where other !== finder {
            other.tracker.note(files)
            if other.tracker.hasRestats { ready.insert(other.index) }
        }
    }

    /// Follows a layer of an overlay as if the kernel told nothing of data, where its audits give cause to.
    func distrust(_ entry: TrackedLayer) {
        guard entry.isChecked else { return }
        entry.isChecked = false
        guard entry.silence == nil, entry.place.mount != nil,
            let reason = entry.unheard.reasonToDistrust(after: entry.tracker.correction)
        else { return }
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
