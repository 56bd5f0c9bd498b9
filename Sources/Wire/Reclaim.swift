/// `POST /v1/reclaim`: what `df` would gain if exactly these objects went.
///
/// Nothing is deleted.
public struct Reclaim: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    /// Whether every figure in it is exact.
    public var exact: Bool
    /// Why it is not, one line for each reason.
    public var reasons: [String]
    /// Allocated bytes that come free.
    public var diskBytes: Int64
    /// Apparent bytes of the files that go.
    public var sizeBytes: Int64
    /// By mount: what comes free on each file system.
    public var filesystems: [Gain]
    public var items: [Item]
    /// What stays though it was asked for or is part of it, because something else holds it.
    public var stays: [Stay]

    public init(
        schema: Int = WireCoding.schema, time: String, exact: Bool, reasons: [String], diskBytes: Int64,
        sizeBytes: Int64, filesystems: [Gain], items: [Item], stays: [Stay]
    ) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.reasons = reasons
        self.diskBytes = diskBytes
        self.sizeBytes = sizeBytes
        self.filesystems = filesystems
        self.items = items
        self.stays = stays
    }

    public struct Gain: Codable, Hashable, Sendable {
        public var mount: String
        public var diskBytes: Int64

        public init(mount: String, diskBytes: Int64) {
            self.mount = mount
            self.diskBytes = diskBytes
        }
    }

    /// An object that would go.
    public struct Item: Codable, Hashable, Sendable {
        /// `image`, `container`, `volume`, or `layer` for an orphan or build cache.
        public var kind: String
        public var engine: String
        public var root: String
        public var id: String
        public var name: String
        /// Of the layers of an image that go, those that several images of the set share are told with the first.
        public var diskBytes: Int64
        public var sizeBytes: Int64
        /// Whether it was not asked for but goes with what was: an untagged parent of an image.
        public var implied: Bool

        public init(
            kind: String, engine: String, root: String, id: String, name: String, diskBytes: Int64,
            sizeBytes: Int64, implied: Bool
        ) {
            self.kind = kind
            self.engine = engine
            self.root = root
            self.id = id
            self.name = name
            self.diskBytes = diskBytes
            self.sizeBytes = sizeBytes
            self.implied = implied
        }
    }

    /// What stays, and why.
    public struct Stay: Codable, Hashable, Sendable {
        /// `image`, `volume`, `layer` or `file`.
        public var kind: String
        public var engine: String
        public var root: String
        public var id: String
        /// Allocated bytes that stay.
        public var diskBytes: Int64
        /// Who holds it, in one line.
        public var reason: String

        public init(
            kind: String, engine: String, root: String, id: String, diskBytes: Int64, reason: String
        ) {
            self.kind = kind
            self.engine = engine
            self.root = root
            self.id = id
            self.diskBytes = diskBytes
            self.reason = reason
        }
    }
}
