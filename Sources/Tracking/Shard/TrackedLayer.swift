internal import Accounting

/// A writable layer that a ``ShardWorker`` follows.
final class TrackedLayer {
    /// What the sums of a ``ShardWorker`` hold of it.
    struct Counted {
        var counters = TrackerCounters()
        var watchesNeeded = 0
        /// How long to do other things after a look at everything, if events were lost; nanoseconds.
        var restAfterRescan: Int64 = 0
    }

    let key: LayerKey
    /// Its number, of the budget of watches.
    let index: Int
    let place: TrackedDirectory
    let tracker: LayerTracker<KernelFileSystem>
    /// The mount, if its events are to tell the rest.
    let mount: MergedMount?
    var unheard = UnheardGrowth()
    /// The next batch checks what the events told.
    var isChecked = false
    var lastReported: LayerReport.Outcome?
    var lastWatches = -1
    var lastAudit: Int64
    var lastEvent: Int64 = 0
    var pace = Pace()
    var nextRetry: Int64?
    var wasPolled = false
    /// What the last walk counted, while it is polled.
    var polledDirectories = 0
    var polledNames = 0
    var counted = Counted()

    var directory: String { place.path }
    var silence: String? { place.silence }
    var watchesNeeded: Int { wasPolled ? polledDirectories : tracker.watchCount }

    /// Why events do not tell all of it now; `nil` where they do.
    var deafness: String? {
        guard let silence, let mount else { return silence }
        return (mount.doubt ?? tracker.mountDoubt).map { "\(silence); \($0)" }
    }

    /// Whether there is something for the next batch.
    var hasMarks: Bool { tracker.hasPending || tracker.hasRestats || mount?.isChanged == true }

    /// Whether the figure holds all that was told before the last batch.
    var isAnswered: Bool { tracker.isAnswered && mount?.isUncertain != true }

    /// Whether a look at everything is so quick that a barrier may wait for it.
    var isCheap: Bool { tracker.fullLookEstimate < 100_000_000 }

    init(
        _ key: LayerKey, _ index: Int, _ place: TrackedDirectory, _ tracker: LayerTracker<KernelFileSystem>,
        mount: MergedMount?, now: Int64
    ) {
        self.place = place
        self.mount = mount
        self.key = key
        self.index = index
        self.tracker = tracker
        lastAudit = now
    }
}
