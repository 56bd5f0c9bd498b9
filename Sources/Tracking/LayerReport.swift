public import Accounting
public import Kernel

/// What tracking found out about one layer.
public struct LayerReport: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        case measured(LayerMeasure, Confidence)
        /// It could not be looked at; what is known of it is old.
        case failed(reason: String)
    }

    public var key: LayerKey
    public var outcome: Outcome
    /// Kernel watches held for it.
    public var watches: Int
    /// The paths that changed most since the last report.
    public var paths: [PathGrowth]
    /// The layer's directory itself, for an immutable layer that was measured.
    public var root: FileStatus?
    public var directory: String
    /// Whether the figure of an immutable layer can no longer change; always true for a writable layer.
    ///
    /// Files written within the last 35 s may get other blocks at writeback; such a layer is measured again.
    public var isFinal: Bool
    /// By how much an audit found another figure than the events had told: a defect, or a change that has no event.
    public var correction: Measure?
    /// Why the events of the layer's own directory are not relied on from now on; said once.
    public var distrust: String?
    /// Directories that a walk found, each of which would take a watch; 0 where watches were held.
    var directories = 0
    /// Names that a walk looked at, each of which would be held in memory; 0 where they are.
    var names = 0
}

/// Takes what tracking finds out; called from tracking's threads, and must not block them.
public protocol TrackingSink: Sendable {
    func take(_ report: LayerReport)
}

/// Numbers of what tracking did.
public struct TrackingCounters: Hashable, Sendable {
    /// Directories listed, over all layers.
    public var directoriesRead: Int64 = 0
    /// Names looked at.
    public var looks: Int64 = 0
    public var events: Int64 = 0
    public var batches: Int64 = 0
    public var overflows: Int64 = 0
    /// Looks at everything below a writable layer, the first one included.
    public var fullLooks: Int64 = 0
    /// Looks at everything for which no event asked.
    public var audits: Int64 = 0
    /// Audits that found another figure than the events had told.
    public var corrections: Int64 = 0
    public var watches: Int64 = 0
    /// Watches that would be held if no writable layer were polled for want of something.
    public var watchesNeeded: Int64 = 0
    /// Names of files and directories of writable layers that are held in memory, and that may be.
    public var inodes: Int64 = 0
    public var inodeLimit: Int64 = 0
    /// Events that the shortest of the inotify queues holds; `nil` where that is not known.
    public var queueLength: Int?
    /// Immutable layers whose figure is not final yet, those included that have never been measured.
    public var settlingLayers: Int64 = 0

    public init() {}

    static func += (left: inout TrackingCounters, right: TrackingCounters) {
        left.directoriesRead += right.directoriesRead
        left.looks += right.looks
        left.events += right.events
        left.batches += right.batches
        left.overflows += right.overflows
        left.fullLooks += right.fullLooks
        left.audits += right.audits
        left.corrections += right.corrections
        left.watches += right.watches
        left.watchesNeeded += right.watchesNeeded
        left.queueLength = [left.queueLength, right.queueLength].compactMap { $0 }.min()
        left.settlingLayers += right.settlingLayers
    }
}

/// The times that tracking goes by.
public struct TrackingOptions: Hashable, Sendable {
    /// Milliseconds from one batch to the next while events come.
    public var batchMilliseconds: Int
    /// Seconds between two looks at a layer that cannot be watched.
    public var pollSeconds: Int
    /// Seconds between two audits of the same layer.
    public var auditSeconds: Int
    public var shards: Int
    /// Watches that may be held at most, over all layers.
    public var watchLimit: Int
    /// Names of files and directories that may be held in memory at most, over all writable layers.
    public var inodeLimit: Int
    /// Levels of a writable layer's directories: each look at a place passes those above it.
    var depthLimit = 20_000
    /// Not the operator's to choose: how file systems behave decides it.
    var settling = SettlingTimes()
    /// What is asked of each directory of a writable layer; tests ask for less, to be told as little as old kernels tell.
    var watchMask = KernelFileSystem.mask

    public init(
        batchMilliseconds: Int = 25, pollSeconds: Int = 30, auditSeconds: Int = 600, shards: Int = 2,
        watchLimit: Int = .max, inodeLimit: Int = 2_000_000
    ) {
        self.batchMilliseconds = batchMilliseconds
        self.pollSeconds = pollSeconds
        self.auditSeconds = auditSeconds
        self.shards = shards
        self.watchLimit = watchLimit
        self.inodeLimit = inodeLimit
    }
}
