/// `GET /v1/status`: everything at one moment, all sizes in bytes.
///
/// With `?top=N` the lists of images, containers, volumes and orphans hold the N that take most disk, the largest
/// first.
public struct Status: Codable, Hashable, Sendable {
    public var schema: Int
    /// When the answer was made, RFC 3339.
    public var time: String
    /// The daemon's version.
    public var version: String
    /// Whether every queued kernel event was applied and no source is polling, stale or damaged.
    public var exact: Bool
    /// Why `exact` is false, one line for each reason.
    public var reasons: [String]
    public var sources: [Source]
    public var filesystems: [FileSystem]
    public var totals: Totals
    public var images: [Image]
    public var containers: [Container]
    public var volumes: [Volume]
    public var orphans: [Orphan]
    public var alerts: [Alert]
    public var counters: Counters
    /// How far the first measuring of layers is; absent once it is done.
    public var progress: Progress?
    /// How far the figures of deleted but open files can be trusted.
    public var deletedOpen: DeletedOpenState?
    /// How many of each list `?top=N` left out; absent without it.
    public var omitted: Omitted?

    public init(
        schema: Int = WireCoding.schema, time: String, version: String, exact: Bool, reasons: [String] = [],
        sources: [Source] = [], filesystems: [FileSystem] = [], totals: Totals = Totals(),
        images: [Image] = [],
        containers: [Container] = [], volumes: [Volume] = [], orphans: [Orphan] = [], alerts: [Alert] = [],
        counters: Counters = Counters(), progress: Progress? = nil,
        deletedOpen: DeletedOpenState? = nil, omitted: Omitted? = nil
    ) {
        self.schema = schema
        self.time = time
        self.version = version
        self.exact = exact
        self.reasons = reasons
        self.sources = sources
        self.filesystems = filesystems
        self.totals = totals
        self.images = images
        self.containers = containers
        self.volumes = volumes
        self.orphans = orphans
        self.alerts = alerts
        self.counters = counters
        self.progress = progress
        self.deletedOpen = deletedOpen
        self.omitted = omitted
    }
}

/// How many objects of each kind a shortened answer leaves out.
public struct Omitted: Codable, Hashable, Sendable {
    public var images: Int
    public var containers: Int
    public var volumes: Int
    public var orphans: Int

    public init(images: Int = 0, containers: Int = 0, volumes: Int = 0, orphans: Int = 0) {
        self.images = images
        self.containers = containers
        self.volumes = volumes
        self.orphans = orphans
    }
}

/// One store that is accounted.
public struct Source: Codable, Hashable, Sendable {
    public var engine: String
    public var driver: String
    public var root: String
    public var state: SourceState
    /// Why it is not `exact`.
    @Nullable public var reason: String?
    /// RFC 3339: every change up to then is in the figures.
    public var asOf: String
    /// Kernel watches held for it.
    public var watches: Int
    /// RFC 3339: when the last walk of what the engine keeps beside its layers began, which is walked after changes
    /// and now and then; `null` where there was none.
    @Nullable public var overheadAsOf: String?
    /// RFC 3339: when it was found out last which files share blocks; `null` where the file system lets none.
    @Nullable public var sharedExtentsAsOf: String?
    /// Objects of it that could not be read.
    public var problems: [SourceProblem]

    public init(
        engine: String, driver: String, root: String, state: SourceState, reason: String? = nil, asOf: String,
        watches: Int, overheadAsOf: String? = nil, sharedExtentsAsOf: String? = nil,
        problems: [SourceProblem] = []
    ) {
        self.engine = engine
        self.driver = driver
        self.root = root
        self.state = state
        self.reason = reason
        self.asOf = asOf
        self.watches = watches
        self.overheadAsOf = overheadAsOf
        self.sharedExtentsAsOf = sharedExtentsAsOf
        self.problems = problems
    }
}

/// Metadata of a store that could not be used.
public struct SourceProblem: Codable, Hashable, Sendable {
    /// What it is about, for example `image 4c1f...`.
    public var object: String
    public var path: String
    public var reason: String

    public init(object: String, path: String, reason: String) {
        self.object = object
        self.path = path
        self.reason = reason
    }
}

public enum SourceState: String, Codable, Hashable, Sendable {
    case exact, converging, polling, stale, damaged
}

/// A file system that holds a store, and where its used bytes went.
public struct FileSystem: Codable, Hashable, Sendable {
    public var mount: String
    public var sizeBytes: Int64
    /// What `df` calls Used.
    public var usedBytes: Int64
    public var availableBytes: Int64
    public var attributed: Attributed
    /// `used_bytes` less all that is attributed: other files of the host, and the file system's own.
    public var otherBytes: Int64
    /// Deleted but open files on it, of containers and of the host; `null` where that is not known.
    @Nullable public var deletedOpen: DeletedOpen?

    public init(
        mount: String, sizeBytes: Int64, usedBytes: Int64, availableBytes: Int64, attributed: Attributed,
        otherBytes: Int64, deletedOpen: DeletedOpen? = nil
    ) {
        self.mount = mount
        self.sizeBytes = sizeBytes
        self.usedBytes = usedBytes
        self.availableBytes = availableBytes
        self.attributed = attributed
        self.otherBytes = otherBytes
        self.deletedOpen = deletedOpen
    }

    /// Allocated bytes by class, each byte in one class.
    public struct Attributed: Codable, Hashable, Sendable {
        public var imageLayers: Int64 = 0
        public var containerLayers: Int64 = 0
        public var containerLogs: Int64 = 0
        public var volumes: Int64 = 0
        public var buildCache: Int64 = 0
        public var content: Int64 = 0
        /// What engines keep beside their layers: metadata, and the directories that layers lie in.
        public var overhead: Int64 = 0
        public var orphans: Int64 = 0
        /// Layers and files that are being downloaded, unpacked or made.
        public var inFlight: Int64 = 0
        /// `null` where it is not known; then it is part of ``FileSystem/otherBytes``.
        @Nullable public var deletedOpen: Int64?

        public init() {}

        /// Their sum; a wrong figure stays at the ends of the range instead of ending daemon or client.
        public var sum: Int64 {
            [
                imageLayers, containerLayers, containerLogs, volumes, buildCache, content, overhead, orphans,
                inFlight, deletedOpen ?? 0,
            ].reduce(0) { $0.plus($1) }
        }
    }
}

/// How many, and how much they take together; every layer counted once.
public struct Total: Codable, Hashable, Sendable {
    public var count: Int
    public var diskBytes: Int64
    public var sizeBytes: Int64

    public init(count: Int = 0, diskBytes: Int64 = 0, sizeBytes: Int64 = 0) {
        self.count = count
        self.diskBytes = diskBytes
        self.sizeBytes = sizeBytes
    }
}

public struct Totals: Codable, Hashable, Sendable {
    public var imageLayers = Total()
    public var containers = Total()
    public var logs = Total()
    public var volumes = Total()
    public var buildCache = Total()
    public var orphans = Total()
    public var content = Total()
    public var overhead = Total()
    public var inFlight = Total()

    public init() {}
}

/// What the daemon did since it started.
public struct Counters: Codable, Hashable, Sendable {
    /// Directories listed, over all layers: what a restart with a warm cache saves.
    public var directoriesRead: Int64 = 0
    public var filesStatted: Int64 = 0
    public var events: Int64 = 0
    public var batches: Int64 = 0
    public var overflows: Int64 = 0
    public var rescans: Int64 = 0
    public var audits: Int64 = 0
    /// Figures that an audit had to correct.
    public var corrections: Int64 = 0
    /// Times that a store's metadata was read.
    public var metadataReads: Int64 = 0
    /// Immutable layers whose measure came from the cache.
    public var layersFromCache: Int64 = 0
    public var layersMeasured: Int64 = 0
    /// Image layers whose measure is not in the cache yet, so that a restart would read them again.
    public var layersNotCached: Int64 = 0
    /// Layers other than writable ones whose blocks may still change, so that they are measured again.
    public var layersSettling: Int64 = 0

    public init() {}
}

public struct Progress: Codable, Hashable, Sendable {
    public var layersMeasured: Int
    public var layersTotal: Int

    public init(layersMeasured: Int, layersTotal: Int) {
        self.layersMeasured = layersMeasured
        self.layersTotal = layersTotal
    }
}
