/// `GET /v1/since/{mark}`: what changed since a mark, or since so long ago.
public struct Since: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    /// Whether the figures of both ends are exact.
    public var exact: Bool
    /// The mark's name, or the duration that was asked for.
    public var mark: String
    /// When the mark was set, RFC 3339.
    public var since: String
    /// Image layers that came, by the order of their chains.
    public var layersAdded: [LayerChange]
    public var layersRemoved: [LayerChange]
    /// Containers whose writable layer came, went or changed.
    public var containers: [ContainerChange]
    /// Sums of the changes above.
    public var totals: Change
    public var filesystems: [FileSystemChange]

    public init(
        schema: Int = WireCoding.schema, time: String, exact: Bool, mark: String, since: String,
        layersAdded: [LayerChange], layersRemoved: [LayerChange], containers: [ContainerChange],
        totals: Change,
        filesystems: [FileSystemChange]
    ) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.mark = mark
        self.since = since
        self.layersAdded = layersAdded
        self.layersRemoved = layersRemoved
        self.containers = containers
        self.totals = totals
        self.filesystems = filesystems
    }

    /// A change in both measures, negative for less.
    public struct Change: Codable, Hashable, Sendable {
        public var diskBytes: Int64
        public var sizeBytes: Int64

        public init(diskBytes: Int64, sizeBytes: Int64) {
            self.diskBytes = diskBytes
            self.sizeBytes = sizeBytes
        }
    }

    public struct LayerChange: Codable, Hashable, Sendable {
        public var engine: String
        public var id: String
        public var kind: String
        /// The step that made it, where an image's history tells.
        @Nullable public var instruction: String?
        /// Names of images that use it.
        public var images: [String]
        public var diskBytes: Int64
        public var sizeBytes: Int64

        public init(
            engine: String, id: String, kind: String, instruction: String?, images: [String],
            diskBytes: Int64,
            sizeBytes: Int64
        ) {
            self.engine = engine
            self.id = id
            self.kind = kind
            self.instruction = instruction
            self.images = images
            self.diskBytes = diskBytes
            self.sizeBytes = sizeBytes
        }
    }

    public struct ContainerChange: Codable, Hashable, Sendable {
        public enum Kind: String, Codable, Hashable, Sendable {
            case added, removed, changed
        }

        public var change: Kind
        public var engine: String
        /// The root of its store.
        public var root: String
        public var id: String
        public var name: String
        public var diskBytes: Int64
        public var sizeBytes: Int64

        public init(
            change: Kind, engine: String, root: String, id: String, name: String, diskBytes: Int64,
            sizeBytes: Int64
        ) {
            self.change = change
            self.engine = engine
            self.root = root
            self.id = id
            self.name = name
            self.diskBytes = diskBytes
            self.sizeBytes = sizeBytes
        }
    }

    public struct FileSystemChange: Codable, Hashable, Sendable {
        public var mount: String
        /// What `df` moved.
        public var usedBytes: Int64
        /// The part of it that the layers and containers above explain.
        public var attributedBytes: Int64
        /// The rest: metadata, other files of the host, the file system's own.
        public var otherBytes: Int64

        public init(mount: String, usedBytes: Int64, attributedBytes: Int64, otherBytes: Int64) {
            self.mount = mount
            self.usedBytes = usedBytes
            self.attributedBytes = attributedBytes
            self.otherBytes = otherBytes
        }
    }
}

/// The answer to `POST /v1/marks/{name}`.
public struct MarkSet: Codable, Hashable, Sendable {
    public var schema: Int
    public var mark: String
    public var time: String
    public var exact: Bool

    public init(schema: Int = WireCoding.schema, mark: String, time: String, exact: Bool) {
        self.schema = schema
        self.mark = mark
        self.time = time
        self.exact = exact
    }
}
