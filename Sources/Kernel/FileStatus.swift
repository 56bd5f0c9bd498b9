internal import CLinux
internal import Glibc

/// What `stat` says of one inode, as far as accounting needs it.
public struct FileStatus: Hashable, Sendable {
    /// An inode on this host: equal for every name of the same file.
    public struct Identity: Hashable, Sendable {
        public let device: UInt64
        public let inode: UInt64

        public init(device: UInt64, inode: UInt64) {
            self.device = device
            self.inode = inode
        }
    }

    public enum Kind: Hashable, Sendable {
        case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket, unknown
    }

    public let identity: Identity
    public let kind: Kind
    /// Names of the inode, over all directories.
    public let links: UInt32
    /// `st_size`, bytes; clamped to what a signed 64-bit number holds.
    public private(set) var size: Int64
    /// `st_blocks` times 512, bytes; clamped likewise.
    public private(set) var allocated: Int64
    /// Whether this is overlayfs's whiteout: a character device 0:0.
    ///
    /// All whiteouts of a mount are one inode.
    public let isWhiteout: Bool
    /// Permission bits.
    public let mode: UInt32
    public let owner: UInt32
    /// Change time, nanoseconds since the epoch.
    public let changed: Int64
    /// Modification time, nanoseconds since the epoch.
    public let modified: Int64

    init(_ raw: clinux_status) {
        identity = Identity(device: raw.device, inode: raw.inode)
        kind =
            switch raw.mode & UInt32(S_IFMT) {
            case UInt32(S_IFREG): .regular
            case UInt32(S_IFDIR): .directory
            case UInt32(S_IFLNK): .symbolicLink
            case UInt32(S_IFCHR): .characterDevice
            case UInt32(S_IFBLK): .blockDevice
            case UInt32(S_IFIFO): .fifo
            case UInt32(S_IFSOCK): .socket
            default: .unknown
            }
        links = raw.links
        size = Int64(clamping: raw.size)
        let (bytes, overflow) = raw.blocks.multipliedReportingOverflow(by: 512)
        allocated = overflow ? Int64.max : Int64(clamping: bytes)
        isWhiteout = kind == .characterDevice && raw.rdev == 0
        mode = raw.mode & 0o7777
        owner = raw.uid
        changed = Self.nanoseconds(raw.ctime_sec, raw.ctime_nsec)
        modified = Self.nanoseconds(raw.mtime_sec, raw.mtime_nsec)
    }

    /// The same inode without what it takes.
    public var costingNothing: FileStatus {
        var status = self
        status.size = 0
        status.allocated = 0
        return status
    }

    /// A status that no call gave, for a file system that is simulated.
    package init(
        identity: Identity, kind: Kind, links: UInt32, size: Int64, allocated: Int64, changed: Int64
    ) {
        self.identity = identity
        self.kind = kind
        self.links = links
        self.size = size
        self.allocated = allocated
        self.changed = changed
        isWhiteout = false
        mode = 0o644
        owner = 0
        modified = changed
    }

    /// `st_dev` of a device that is written as two numbers, as `makedev(3)` joins them.
    static func device(major: UInt32, minor: UInt32) -> UInt64 {
        let (major, minor) = (UInt64(major), UInt64(minor))
        return (major & 0xFFFF_F000) << 32 | (major & 0xFFF) << 8 | (minor & 0xFFFF_FF00) << 12 | minor & 0xFF
    }

    private static func nanoseconds(_ seconds: Int64, _ rest: UInt32) -> Int64 {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? Int64.min : Int64.max) : product &+ Int64(rest)
    }

    /// Stats what a path names, a symbolic link itself; links above it are followed.
    ///
    /// The corresponding C function is `lstat`.
    public static func of(link path: String) throws(KernelError) -> FileStatus {
        var raw = clinux_status()
        // A string that is passed as it is would be copied.
        guard path.withCString({ clinux_status_at(AT_FDCWD, $0, &raw) }) == 0 else {
            throw KernelError(call: "lstat", path: path)
        }
        return FileStatus(raw)
    }

    /// Stats a path that the operator gave, following symbolic links.
    ///
    /// The corresponding C function is `stat`.
    public static func of(path: String) throws(KernelError) -> FileStatus {
        var raw = clinux_status()
        guard clinux_status_path(path, &raw) == 0 else { throw KernelError(call: "stat", path: path) }
        return FileStatus(raw)
    }
}
