package import Accounting
internal import Kernel
internal import SystemPackage

/// Keeps the exact figure of one writable layer from the events of its directories.
///
/// An event is never a change by itself: it marks a place, and a batch looks at the marked places again. Events
/// go in by ``note(_:)``, which only marks; ``runBatch(now:relief:)`` does all the looking. One thread owns it.
package final class LayerTracker<FileSystem: LayerFileSystem> {
    /// Names of files and directories that are tracked at most: what the layer may cost in memory.
    package var inodeLimit = 500_000
    /// Levels of directories at most: a look at a place may pass all that are above it.
    package var depthLimit = 20_000
    /// Nanoseconds since the epoch.
    package var wallClock: () -> Int64 = realtimeNanoseconds
    /// The change time that nothing is older than which the kernel's queue tells, or will; nanoseconds since the epoch.
    package var queuedSince: () -> Int64 = { .min }
    /// How often reading the kernel's queue was begun, and the last of these times that left nothing in it.
    package var queueReads: () -> (begun: Int, emptied: Int) = { (0, 0) }
    package var inodeCount: Int { tree?.inodeCount ?? 0 }
    package var nameCount: Int { tree?.nameCount ?? 0 }
    /// For how long files are taken to stay open, nanoseconds.
    static var uncertainty: Int64 { 600_000_000_000 }
    static var unheardLimit: Int { 4_096 }

    let fileSystem: FileSystem
    // A copy of it that lives while it is changed would make each change copy the whole: use it in place.
    var tree: LayerTree?
    /// The layer's directory, and others in it, open while a batch runs and no longer, for that keeps the file system
    /// from being unmounted.
    var opened: OpenAncestors<UInt64, FileSystem.Handle>?
    var pending: PendingLooks
    var aliases = AliasMemory()
    var settle: SettleQueue
    var growth = BatchGrowth()
    var directoryOfWatch: [Int32: UInt64] = [:]
    var mount = MountWatches<FileSystem.Handle>()

    /// Something may have been written that no place tells of; only a look at everything finds it.
    package internal(set) var needsAudit = false
    /// The look at everything is needed because events were lost, by the kernel or because too many places were marked.
    package internal(set) var hasLostEvents = false
    /// Why it cannot be told by events; `nil` while it is.
    package internal(set) var failure: Failure?
    package internal(set) var lastFullLook: FullLook?
    package internal(set) var counters = TrackerCounters()
    /// By how much the last batch's audit found another figure than the events had told.
    package internal(set) var correction: Measure?

    package typealias Failure = TrackingFailure

    var eventsWereLost = false
    /// Until then a write may be by a name that was another file's while events were lost, and be that one's.
    var namesAreUncertainUntil: Int64 = 0
    /// Counts the looks at everything.
    var everyLook: UInt32 = 0
    /// Files that may be written without an event.
    var unheard: Set<UInt64> = []
    /// Files that changed since may be written without an event: a look at everything finds which these are.
    var unheardSince: Int64?
    /// The same, of the look at everything that runs.
    var unheardSought: Int64?
    /// The change time that nothing is older than which events told since the last batch.
    var notedSince: Int64 = .max
    /// The same, of what the batch that runs looks at.
    var happenedSince: Int64 = .max
    /// Of the looks of past batches, until all events have been read that there were at these.
    var aheadLately = LookedAhead()
    /// How often the queue had been read when ``aheadLately`` was last added to.
    var latelyAtRead = 0
    /// Looks of the last batch could not be made and wait for the next.
    var isIncomplete = false

    // The looks of the batch that runs.
    var listing: [(directory: UInt64, isDeep: Bool)] = []
    var detached: Set<UInt64> = []
    var removed: [(place: Place, inode: UInt64, links: UInt32, wasTold: Bool)] = []
    var newFiles: [UInt64] = []
    var ahead = LookedAhead()
    /// Files with names outside of the layer that lost their last one in it, and may get another.
    var removedLinked: Set<UInt64> = []
    /// Files that were found to have more names than are known in the layer, which other looks may find.
    var foundLinked: Set<UInt64> = []
    var deferred: [(directory: UInt64, names: [FileName: Look])] = []
    var restats: Set<UInt64> = []
    var relief: () -> Void = {}
    let looksPerRelief: Int
    var looksSinceRelief = 0
    var now: Int64 = 0
    /// While everything is looked at: files whose change time is not later have the blocks they will keep.
    var settledBefore: Int64?
    var settledFiles = SettledFiles.none
    /// The look at everything that is marked checks what the events told.
    var isCheck = false

    package init(
        fileSystem: FileSystem, settleSeconds: [Int], looksPerRelief: Int = 256,
        bounds: MarkBounds = MarkBounds()
    ) {
        self.fileSystem = fileSystem
        self.looksPerRelief = looksPerRelief
        settle = SettleQueue(delaysSeconds: settleSeconds)
        pending = PendingLooks(bounds: bounds)
        pending.lookAtEverything()
    }

    package var measure: LayerMeasure { tree?.measure ?? .empty }
    package var watchCount: Int { directoryOfWatch.count }
    package var hasPending: Bool { !pending.isEmpty || eventsWereLost }
    /// Whether the figure holds all that is known to have happened.
    package var isSettled: Bool { !hasPending && !needsAudit && failure == nil && tree != nil }
    /// Whether the figure holds all that was marked before the last batch.
    package var isAnswered: Bool {
        !needsAudit && !isIncomplete && restats.isEmpty && failure == nil && tree != nil
    }
    package var nextSettle: Int64? { settle.nextDue }

    package var hasRestats: Bool { !restats.isEmpty }

    /// Looks at every marked place.
    ///
    /// It calls `relief` every few hundred looks, so that the kernel's queue can be emptied meanwhile. What is
    /// marked while it runs is left for the next batch.
    ///
    /// Returns the paths that changed most.
    package func runBatch(now: Int64, relief: @escaping () -> Void) -> [PathGrowth] {
        self.now = now
        happenedSince = min(notedSince, isIncomplete ? happenedSince : .max)
        notedSince = .max
        let isLatelyTold = isLatelyTold
        if eventsWereLost || pending.hasDroppedNames {
            noteUnheard(since: happenedSince)
            namesAreUncertainUntil = now.addingClamped(Self.uncertainty)
            aliases.forgetNameless()
            needsAudit = true
            hasLostEvents = true
        }
        eventsWereLost = false
        let wereEventsLost = hasLostEvents
        self.relief = relief
        defer {
            self.relief = {}
            opened = nil
            mount.endBatch()
        }
        growth = BatchGrowth()
        // What the first look finds was there before.
        let isFirst = tree == nil
        isIncomplete = false
        let looks = pending
        pending = PendingLooks(after: looks)
        let isCheck = isCheck
        self.isCheck = false
        correction = nil
        // Files whose blocks may change without an event are known to be open, so they are looked at before.
        if isCheck { restats.formUnion(settle.inodes) }
        let changedFiles = restats
        restats = []
        do throws(Failure) {
            let isRootKnown = try openRoot()
            if isCheck, isRootKnown {
                try restat(changedFiles)
                try finish()
                let told = measure.total
                try lookAtEverything()
                try finish()
                relief()
                noteCorrection(from: told)
            } else if looks.everything || !isRootKnown || failure != nil {
                try lookAtEverything()
                rememberUnseen(looks)
            } else {
                try look(at: looks)
            }
            try restat(changedFiles)
            try finish()
            // A file that came while a directory went may be open by a name in that.
            if looks.directoryWent || wereEventsLost && !isFirst { noteUnheard(newFiles) }
            newFiles = []
            removedLinked = []
            foundLinked = []
            noteLately(isTold: isLatelyTold)
            failure = nil
        } catch {
            fail(error)
        }
        counters.batches += 1
        return isFirst ? [] : growth.top { [tree] in tree?.path(of: $0) }
    }

    func noteCorrection(from told: Measure) {
        let difference = measure.total - told
        guard pending.isEmpty, difference != .zero else { return }
        correction = difference
        counters.corrections += 1
    }

    func fail(_ reason: Failure) {
        failure = reason
        release()
    }

    /// Gives all watches back and forgets everything that was seen.
    package func release() {
        for watch in directoryOfWatch.keys { fileSystem.unwatch(watch) }
        directoryOfWatch = [:]
        mount = MountWatches()
        tree = nil
        opened = nil
        listing = []
        detached = []
        removed = []
        deferred = []
        newFiles = []
        ahead = LookedAhead()
        aheadLately = LookedAhead()
        removedLinked = []
        foundLinked = []
        restats = []
        pending.lookAtEverything()
    }
}
