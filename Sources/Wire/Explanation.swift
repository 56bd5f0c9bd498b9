/// `GET /v1/explain/{id}`: how the figures of one object come about.
public struct Explanation: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    public var exact: Bool
    /// `image`, `container`, `volume`, `layer` or `orphan`.
    public var kind: String
    public var engine: String
    public var driver: String
    public var root: String
    public var id: String
    public var name: String
    public var state: SourceState
    @Nullable public var reason: String?
    /// What it adds up from, in the order in which it is summed.
    public var terms: [Term]
    /// The sum of the terms.
    public var diskBytes: Int64
    public var sizeBytes: Int64
    /// What is part of it and of others as well, and what that means; one line each.
    public var notes: [String]

    public init(
        schema: Int = WireCoding.schema, time: String, exact: Bool, kind: String, engine: String,
        driver: String, root: String, id: String, name: String, state: SourceState, reason: String? = nil,
        terms: [Term], diskBytes: Int64, sizeBytes: Int64, notes: [String]
    ) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.kind = kind
        self.engine = engine
        self.driver = driver
        self.root = root
        self.id = id
        self.name = name
        self.state = state
        self.reason = reason
        self.terms = terms
        self.diskBytes = diskBytes
        self.sizeBytes = sizeBytes
        self.notes = notes
    }

    /// One directory or file that is part of the figure.
    public struct Term: Codable, Hashable, Sendable {
        /// For example `image layer`, `writable layer`, `log`, `metadata`.
        public var what: String
        public var id: String
        /// Where it lies.
        public var path: String
        public var diskBytes: Int64
        public var sizeBytes: Int64
        /// How it is known: `events` for what is followed, `walk` for what was measured once.
        public var source: String
        public var state: SourceState
        @Nullable public var reason: String?
        /// When its figure was found last, RFC 3339; `null` for one that was not measured yet.
        @Nullable public var lookedAt: String?
        /// How many other images and containers use it.
        public var sharedBy: Int

        public init(
            what: String, id: String, path: String, diskBytes: Int64, sizeBytes: Int64, source: String,
            state: SourceState, reason: String? = nil, lookedAt: String?, sharedBy: Int
        ) {
            self.what = what
            self.id = id
            self.path = path
            self.diskBytes = diskBytes
            self.sizeBytes = sizeBytes
            self.source = source
            self.state = state
            self.reason = reason
            self.lookedAt = lookedAt
            self.sharedBy = sharedBy
        }
    }
}
