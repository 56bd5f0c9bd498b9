internal import Accounting
internal import Kernel

// When what is due.
extension ShardWorker {
    /// When there is something to do that neither an event nor a command tells of.
    func nextDue(now: Int64) -> Int64 {
        guard barriers.isEmpty, !hasMore else { return now }
        var due = min(agenda.next ?? .max, lastRootLook + Self.rootInterval)
        if firstEvent != nil || !ready.isEmpty { due = min(due, batchDue) }
        return due
    }

    /// The first event after a rest is applied nearly at once; more of them wait for the next batch.
    var batchDue: Int64 {
        max(
            lastBatch + batchInterval,
            (firstEvent ?? 0) + 2_000_000)
    }

    var batchInterval: Int64 { Int64(options.batchMilliseconds) * 1_000_000 }

    /// For how long events may gather while nothing is read, nanoseconds.
    var longestRest: Int64 {
        Int64(instance.queueLength ?? 1_024) * 1_000_000 / Self.eventsPerMillisecond
    }

    /// Takes note of what is left to do for a layer and when, after anything was done for it.
    func plan(_ entry: TrackedLayer) {
        guard tracked[entry.index] === entry else { return }
        count(entry)
        if let retry = entry.nextRetry { return agenda.call(entry.index, at: retry) }
        // The next batch plans anew.
        if entry.hasMarks, !entry.pace.isBusy { ready.insert(entry.index) } else { ready.remove(entry.index) }
        var due = entry.lastAudit + auditInterval(entry)
        if entry.hasMarks, entry.pace.isBusy { due = min(due, entry.pace.next(interval: batchInterval)) }
        if let settle = entry.tracker.nextSettle { due = min(due, settle) }
        if entry.tracker.needsAudit, !entry.hasMarks { due = min(due, auditDue(entry)) }
        if let refresh = entry.mount?.nextRefresh { due = min(due, refresh) }
        agenda.call(entry.index, at: due)
    }

    func auditDue(_ entry: TrackedLayer) -> Int64 {
        let last = entry.tracker.lastFullLook?.end ?? 0
        if entry.tracker.hasLostEvents { return last + max(Self.shortestRescanGap, restAfterRescans) }
        // A busy layer may be suspect again at once, so an audit may take a hundredth of a processor at most; one at
        // rest is settled by it.
        let atRest = max(
            entry.lastEvent + 1_000_000_000,
            last + max(1_000_000_000, entry.tracker.restAfterFullLook(share: 20)))
        return min(atRest, last + max(5_000_000_000, entry.tracker.restAfterFullLook(share: 100)))
    }

    /// How often all of a layer is looked at without an event, nanoseconds.
    func auditInterval(_ entry: TrackedLayer) -> Int64 {
        let seconds = entry.deafness == nil ? options.auditSeconds : options.pollSeconds
        // It may not take more than a tenth of a processor.
        return max(Int64(seconds) * 1_000_000_000, entry.tracker.restAfterFullLook(share: 10))
    }
}
