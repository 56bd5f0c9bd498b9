/// What one look at the tables of open files found: files without a name that processes keep from being freed.
public struct OpenFileScan: Sendable {
    public struct File: Hashable, Sendable {
        /// Of the file itself, as its mount shows it.
        public let status: FileStatus
        /// The mount by which a process has it.
        public let mount: MountTable.Mount
        /// Its last path as the kernel tells it, without the mark that it was deleted.
        public let path: [UInt8]
        /// A process that holds it; the first that was found.
        public let processID: Int32
        /// That process's name, which it chose itself.
        public let command: [UInt8]
        /// How many processes were seen to hold it.
        public internal(set) var processes: Int
        /// Whether one of them has it open for writing.
        public internal(set) var isWritable: Bool
        /// Processes come one after another, so that it is enough to know the last.
        var lastProcess: Int32

        package init(
            status: FileStatus, mount: MountTable.Mount, path: [UInt8], processID: Int32, command: [UInt8],
            isWritable: Bool
        ) {
            self.status = status
            self.mount = mount
            self.path = path
            self.processID = processID
            self.command = command
            self.isWritable = isWritable
            processes = 1
            lastProcess = processID
        }

        /// Adds another that holds the same file.
        mutating func add(_ other: File) {
            if other.lastProcess != lastProcess { processes += other.processes }
            lastProcess = other.lastProcess
            isWritable = isWritable || other.isWritable
        }
    }

    /// Why there may be more than was found.
    public enum Gap: Hashable, Sendable, Comparable {
        /// The processor time for one look was spent.
        case time
        /// There are more processes than are looked at.
        case processes
        /// A process has more descriptors or threads than are looked at, or takes longer than a process may.
        case descriptors
        /// There are more such files than are remembered.
        case files
        /// A mount namespace has more mounts than are read.
        case mounts
        /// A process has more memory maps than are read, or one did not answer.
        case maps
    }

    public package(set) var files: [FileStatus.Identity: File] = [:]
    public package(set) var gaps: Set<Gap> = []
    /// Files whose name has gone on an overlay mount that no one vouched for.
    public package(set) var foreign = 0
    /// Files whose name has gone that are only mapped, and may not be asked for their size.
    public package(set) var unsized = 0
    /// Processes whose files the system refused to show, or some of them.
    public package(set) var refused = 0
    /// Processor time that other threads spent for it.
    public package(set) var spentElsewhere: UInt64 = 0
    public package(set) var processes = 0
    public internal(set) var descriptors = 0

    public init() {}
}

/// Who vouches for what a table of mounts says.
public enum MountTrust: Hashable, Sendable {
    /// The namespace of the calling process: its paths mean here what they say.
    case own
    /// A namespace that the user namespace of the calling process owns: only a process with privileges on the host
    /// could mount in it.
    case host
    /// Any other: whoever made a user namespace could mount in it, under any path and with any option.
    case foreign
}
