internal import Accounting
internal import Kernel

// Where the layers' paths lead, which no event tells.
extension ShardWorker {
    func lookAtRoots(now: Int64) {
        guard now >= lastRootLook + Self.rootInterval else { return }
        lastRootLook = now
        for entry in tracked.values {
            lookAtRoot(entry)
            if entry.hasMarks { ready.insert(entry.index) }
        }
    }

    func lookAtRoot(_ entry: TrackedLayer) {
        entry.tracker.lookAtRoot()
        guard budget.mustYield(entry.index) else { return }
        entry.tracker.yieldWatches(isBoundByConfiguration: budget.isBoundByConfiguration)
        report(entry, [])
        plan(entry)
    }
}
