internal import Accounting
internal import Kernel

// Emptying the kernel's queue.
extension ShardWorker {
    func drain() {
        guard let inotify = instance.inotify else { return }
        drainedAt = monotonicNanoseconds()
        let began = changeTimeNanoseconds()
        var isEmpty = false
        drains.begun += 1
        do {
            // A flood may not hold the thread, but a barrier needs all that was queued when it came.
            let asked = barriers.isEmpty ? 0 : try inotify.pendingBytes()
            let count = try inotify.drainRecords(limit: Self.drainLimit, atLeast: asked) { take($0) }
            hasMore = count >= Self.drainLimit
            isEmpty = !hasMore
        } catch {
            isOverflown = true
        }
        if isOverflown {
            isOverflown = false
            hasOverflown = true
            counters.overflows += 1
            owners.forgetGiven()
            for entry in tracked.values {
                entry.tracker.noteOverflow()
                entry.mount?.noteDoubt(eventsWereLost: true)
                ready.insert(entry.index)
            }
        }
        if isEmpty { (queuedSince, drains.emptied) = (began, drains.begun) }
    }

    /// After an overflow everything is looked at again, and that is the time to take a queue of the length that the
    /// kernel allows by now.
    func takeLongerQueue() {
        hasOverflown = false
        _ = instance.replaceIfOutgrown {
            for entry in tracked.values {
                entry.tracker.release()
                ready.insert(entry.index)
            }
            owners.forgetGiven()
        }
    }

    func take(_ event: InotifyRecord) {
        counters.events += 1
        if firstEvent == nil { firstEvent = drainedAt }
        if event.mask.contains(.queueOverflow) {
            isOverflown = true
            return
        }
        guard let index = owners.addressee(of: event.watch) else { return }
        if let entry = tracked[index] {
            entry.lastEvent = drainedAt
            entry.mount?.note(event)
            entry.tracker.note(event)
            ready.insert(index)
        }
        if event.mask.contains(.ignored), owners.end(event.watch) {
            budget.give(for: index)
        }
    }
}
