/// A container: its writable layer, and the image chain it shares.
public struct Container: Codable, Hashable, Sendable {
    public var engine: String
    /// The root of its store: two stores may hold one id.
    public var root: String
    public var id: String
    public var name: String
    /// The image's name when there is one, else its id.
    public var image: String
    public var state: SourceState
    @Nullable public var reason: String?
    /// Allocated bytes of the writable layer.
    public var diskBytes: Int64
    /// Apparent bytes of the writable layer.
    public var sizeBytes: Int64
    /// Apparent bytes of the image's chain plus the writable layer.
    public var virtualSizeBytes: Int64
    /// Allocated bytes of its log files.
    public var logBytes: Int64
    /// Allocated bytes of what the engine keeps of it beside its layers and logs.
    public var metadataBytes: Int64
    /// Names of its volumes.
    public var volumes: [String]
    public var growth: Growth
    /// Whether the engine says that it runs.
    public var running: Bool
    @Nullable public var created: String?
    /// Deleted but open files of its writable layer, not part of `disk_bytes`; `null` where that is not known.
    @Nullable public var deletedOpen: DeletedOpen?

    public init(
        engine: String, root: String, id: String, name: String, image: String, state: SourceState,
        reason: String? = nil, diskBytes: Int64, sizeBytes: Int64, virtualSizeBytes: Int64, logBytes: Int64,
        metadataBytes: Int64 = 0, volumes: [String],
        growth: Growth, running: Bool, created: String? = nil, deletedOpen: DeletedOpen? = nil
    ) {
        self.engine = engine
        self.root = root
        self.id = id
        self.name = name
        self.image = image
        self.state = state
        self.reason = reason
        self.diskBytes = diskBytes
        self.sizeBytes = sizeBytes
        self.virtualSizeBytes = virtualSizeBytes
        self.logBytes = logBytes
        self.metadataBytes = metadataBytes
        self.volumes = volumes
        self.growth = growth
        self.running = running
        self.created = created
        self.deletedOpen = deletedOpen
    }
}

/// By how many allocated bytes a writable layer grew, negative where it shrank.
public struct Growth: Codable, Hashable, Sendable {
    public var minute: Int64
    public var hour: Int64
    public var day: Int64

    public init(minute: Int64 = 0, hour: Int64 = 0, day: Int64 = 0) {
        self.minute = minute
        self.hour = hour
        self.day = day
    }

    enum CodingKeys: String, CodingKey {
        case minute = "1m"
        case hour = "1h"
        case day = "24h"
    }
}

/// `GET /v1/containers`.
public struct ContainerList: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    public var exact: Bool
    public var containers: [Container]
    /// How far the figures of deleted but open files can be trusted.
    public var deletedOpen: DeletedOpenState?

    public init(
        schema: Int = WireCoding.schema, time: String, exact: Bool, containers: [Container],
        deletedOpen: DeletedOpenState? = nil
    ) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.containers = containers
        self.deletedOpen = deletedOpen
    }
}

/// `GET /v1/containers/{id}`.
public struct ContainerDetail: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    public var exact: Bool
    public var container: Container
    public var imageID: String
    public var labels: [String: String]
    @Nullable public var logPath: String?
    public var mounts: [Mount]
    /// The writable layer.
    public var layer: Layer?
    /// The layer of mount points between the image and the writable one.
    public var initLayer: Layer?
    /// The image's layers, the lowest first.
    public var chain: [String]
    /// What grew lately, the most first.
    public var top: [PathGrowth]
    /// How far the figures of deleted but open files can be trusted.
    public var deletedOpen: DeletedOpenState?

    public init(
        schema: Int = WireCoding.schema, time: String, exact: Bool, container: Container, imageID: String,
        labels: [String: String], logPath: String?, mounts: [Mount], layer: Layer?, initLayer: Layer?,
        chain: [String], top: [PathGrowth], deletedOpen: DeletedOpenState? = nil
    ) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.container = container
        self.imageID = imageID
        self.labels = labels
        self.logPath = logPath
        self.mounts = mounts
        self.layer = layer
        self.initLayer = initLayer
        self.chain = chain
        self.top = top
        self.deletedOpen = deletedOpen
    }

    enum CodingKeys: String, CodingKey {
        case schema, time, exact, container, labels, logPath, mounts, layer, initLayer, chain, top,
            deletedOpen
        case imageID = "imageId"
    }

    public struct Mount: Codable, Hashable, Sendable {
        /// `volume`, `bind`, `tmpfs` or `other`.
        public var kind: String
        @Nullable public var name: String?
        public var source: String
        public var destination: String

        public init(kind: String, name: String?, source: String, destination: String) {
            self.kind = kind
            self.name = name
            self.source = source
            self.destination = destination
        }
    }
}

/// A path below a writable layer and by how many allocated bytes it grew.
public struct PathGrowth: Codable, Hashable, Sendable {
    /// Escaped for printing; a container chose it.
    public var path: String
    public var growthBytes: Int64

    public init(path: String, growthBytes: Int64) {
        self.path = path
        self.growthBytes = growthBytes
    }
}
