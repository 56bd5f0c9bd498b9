internal import Accounting
internal import Kernel

// When what is due.
extension ShardWorker {
    func timeout() -> Int32 {
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
    var batchDue: Int64 {
        max(
            lastBatch + Int64(options.batchMilliseconds) * 1_000_000,
            (firstEvent ?? 0) + 2_000_000)
    }

    func auditDue(_ entry: TrackedLayer) -> Int64 {
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
    func spaceRescans() {
        let rest = tracked.values.reduce(Int64(0)) { sum, entry in
            sum.addingClamped(entry.tracker.hasLostEvents ? entry.tracker.restAfterFullLook(share: 20) : 0)
        }
        rescanGap = max(Self.shortestRescanGap, rest)
    }

    /// How often all of a layer is looked at without an event, nanoseconds.
    func auditInterval(_ entry: TrackedLayer) -> Int64 {
        let seconds = entry.deafness == nil ? options.auditSeconds : options.pollSeconds
        // It may not take more than a tenth of a processor.
        return max(Int64(seconds) * 1_000_000_000, entry.tracker.restAfterFullLook(share: 10))
    }
}
