/// `GET /v1/doctor`: what the daemon may have, has and needs, as it measures that itself in its own namespaces.
///
/// Numbers that it cannot read are absent; `/proc/sys` may be hidden from it.
public struct DoctorFacts: Codable, Hashable, Sendable {
    /// A limit, and the setting that raises it: a sysctl, or a key of the configuration.
    public struct Limit: Codable, Hashable, Sendable {
        public var value: Int
        public var setting: String

        public init(value: Int, setting: String) {
            self.value = value
            self.setting = setting
        }
    }

    /// Something of which there is so much.
    public struct Supply: Codable, Hashable, Sendable {
        /// Held by the daemon now.
        public var used: Int
        /// What it would hold if everything were followed as it should be.
        public var needed: Int
        /// What it may hold; where others of the same user share it, they and the daemon together.
        public var limit: Limit?

        public init(used: Int, needed: Int, limit: Limit? = nil) {
            self.used = used
            self.needed = needed
            self.limit = limit
        }
    }

    public struct Queue: Codable, Hashable, Sendable {
        /// Events that the shortest of the daemon's queues holds.
        public var length: Int?
        /// What a new queue would hold.
        public var limit: Limit?
        /// Times that a queue ran over since the daemon started.
        public var overflows: Int64

        public init(length: Int? = nil, limit: Limit? = nil, overflows: Int64) {
            self.length = length
            self.limit = limit
            self.overflows = overflows
        }
    }

    /// A container that is not exact.
    public struct Container: Codable, Hashable, Sendable {
        public var root: String
        public var id: String
        public var name: String
        public var state: SourceState
        @Nullable public var reason: String?

        public init(root: String, id: String, name: String, state: SourceState, reason: String?) {
            self.root = root
            self.id = id
            self.name = name
            self.state = state
            self.reason = reason
        }
    }

    /// Containers listed at most.
    public static let containerLimit = 100

    public var schema: Int
    /// RFC 3339.
    public var time: String
    public var version: String
    /// `major.minor` of the running kernel.
    @Nullable public var kernel: String?
    /// The daemon's effective user.
    public var uid: UInt32
    /// Capabilities that it lacks and cannot do without.
    public var missingCapabilities: [String]
    public var exact: Bool
    public var reasons: [String]
    /// Inotify watches, one for each directory of writable layers and of metadata.
    public var watches: Supply
    /// The daemon's own bound on watches, where the configuration sets one.
    public var watchBudget: Limit?
    public var instances: Supply
    public var queue: Queue
    public var openFiles: Supply
    /// Descriptors that had to be given up of those held back for looking; `nil` for a daemon without any.
    public var openFilesLent: Int
    /// Files and directories held in memory, over all writable layers.
    public var inodes: Supply
    /// Why events of some layers do not tell all, for example of an old kernel; each reason once.
    public var silences: [String]
    public var sources: [Source]
    /// Those that are not exact, at most ``containerLimit``.
    public var containers: [Container]
    /// Why the configuration was not taken when it was last read; the daemon goes on with the one before.
    @Nullable public var configurationProblem: String?

    public init(
        schema: Int = WireCoding.schema, time: String, version: String, kernel: String?, uid: UInt32,
        missingCapabilities: [String] = [], exact: Bool, reasons: [String] = [], watches: Supply,
        watchBudget: Limit? = nil, instances: Supply,
        queue: Queue, openFiles: Supply, openFilesLent: Int = 0, inodes: Supply, silences: [String] = [],
        sources: [Source] = [], containers: [Container] = [], configurationProblem: String? = nil
    ) {
        self.schema = schema
        self.time = time
        self.version = version
        self.kernel = kernel
        self.uid = uid
        self.missingCapabilities = missingCapabilities
        self.exact = exact
        self.reasons = reasons
        self.watches = watches
        self.watchBudget = watchBudget
        self.instances = instances
        self.queue = queue
        self.openFiles = openFiles
        self.openFilesLent = openFilesLent
        self.inodes = inodes
        self.silences = silences
        self.sources = sources
        self.containers = containers
        self.configurationProblem = configurationProblem
    }
}
