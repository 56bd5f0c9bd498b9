/// Files that were deleted while processes hold them open or mapped: `df` counts their blocks until the last of these
/// processes lets go of them.
public struct DeletedOpen: Codable, Hashable, Sendable {
    /// Allocated bytes, each file once.
    public var diskBytes: Int64
    public var sizeBytes: Int64
    public var count: Int64
    /// Allocated bytes beside `disk_bytes` that may be such files' too, or an image's.
    public var uncertainBytes: Int64
    /// The largest, the largest first; `count` tells how many there are.
    public var files: [File]

    public struct File: Codable, Hashable, Sendable {
        /// A process that holds it, as the host numbers it.
        public var pid: Int32
        /// How many processes hold it.
        public var processes: Int
        /// That process's name, escaped for printing; it chose it itself.
        public var command: String
        /// Its last path, escaped for printing; a container chose it.
        public var path: String
        public var diskBytes: Int64
        public var sizeBytes: Int64

        public init(
            pid: Int32, processes: Int, command: String, path: String, diskBytes: Int64, sizeBytes: Int64
        ) {
            self.pid = pid
            self.processes = processes
            self.command = command
            self.path = path
            self.diskBytes = diskBytes
            self.sizeBytes = sizeBytes
        }
    }

    public init(
        diskBytes: Int64 = 0, sizeBytes: Int64 = 0, count: Int64 = 0, uncertainBytes: Int64 = 0,
        files: [File] = []
    ) {
        self.diskBytes = diskBytes
        self.sizeBytes = sizeBytes
        self.count = count
        self.uncertainBytes = uncertainBytes
        self.files = files
    }
}

/// How far figures of deleted but open files can be trusted; they have no part in `exact`.
public struct DeletedOpenState: Codable, Hashable, Sendable {
    public enum Completeness: String, Codable, Hashable, Sendable {
        case complete
        /// There may be more; `reason` says where.
        case atLeast = "at_least"
        /// Every `deleted_open` is `null`; `reason` says why.
        case unknown
    }

    public var state: Completeness
    @Nullable public var reason: String?
    /// When the look that they are from began, RFC 3339.
    @Nullable public var asOf: String?

    public init(state: Completeness = .unknown, reason: String? = nil, asOf: String? = nil) {
        self.state = state
        self.reason = reason
        self.asOf = asOf
    }
}
