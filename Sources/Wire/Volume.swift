/// A volume with what lies in it.
public struct Volume: Codable, Hashable, Sendable {
    public var engine: String
    /// The root of its store: two stores may hold one name.
    public var root: String
    public var name: String
    public var driver: String
    /// Whether the engine made up its name.
    public var anonymous: Bool
    public var state: SourceState
    @Nullable public var reason: String?
    /// Allocated bytes; 0 where ``elsewhere`` says so.
    public var diskBytes: Int64
    /// Apparent bytes; 0 where ``elsewhere`` says so.
    public var sizeBytes: Int64
    /// Whether its files are on another device or host, so that nothing is charged.
    public var elsewhere: Bool
    /// Where its files are.
    public var source: String
    /// Ids of the containers that mount it.
    public var containers: [String]

    public init(
        engine: String, root: String, name: String, driver: String = "local", anonymous: Bool = false,
        state: SourceState, reason: String? = nil, diskBytes: Int64, sizeBytes: Int64,
        elsewhere: Bool = false,
        source: String, containers: [String]
    ) {
        self.engine = engine
        self.root = root
        self.name = name
        self.driver = driver
        self.anonymous = anonymous
        self.state = state
        self.reason = reason
        self.diskBytes = diskBytes
        self.sizeBytes = sizeBytes
        self.elsewhere = elsewhere
        self.source = source
        self.containers = containers
    }
}

/// `GET /v1/volumes`.
public struct VolumeList: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    public var exact: Bool
    public var volumes: [Volume]

    public init(schema: Int = WireCoding.schema, time: String, exact: Bool, volumes: [Volume]) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.volumes = volumes
    }
}

/// A layer directory that no metadata of its engine names.
public struct Orphan: Codable, Hashable, Sendable {
    public var engine: String
    public var root: String
    public var id: String
    public var path: String
    public var state: SourceState
    public var diskBytes: Int64
    public var sizeBytes: Int64
    /// When it last changed, RFC 3339.
    public var since: String

    public init(
        engine: String, root: String, id: String, path: String, state: SourceState, diskBytes: Int64,
        sizeBytes: Int64, since: String
    ) {
        self.engine = engine
        self.root = root
        self.id = id
        self.path = path
        self.state = state
        self.diskBytes = diskBytes
        self.sizeBytes = sizeBytes
        self.since = since
    }
}

/// `GET /v1/orphans`.
public struct OrphanList: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    public var exact: Bool
    public var orphans: [Orphan]

    public init(schema: Int = WireCoding.schema, time: String, exact: Bool, orphans: [Orphan]) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.orphans = orphans
    }
}
