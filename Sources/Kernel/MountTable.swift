/// The mounts of one mount namespace, from a process's `mountinfo`.
public struct MountTable: Hashable, Sendable {
    public struct Mount: Hashable, Sendable {
        /// Its number, which `fdinfo` names; no two mounts of the host have one at a time.
        public let id: UInt32
        /// `st_dev` of the file system, as the kernel numbers it.
        public let device: UInt64
        /// The directory of the file system that is mounted.
        public let root: String
        /// Where it is mounted.
        public let path: String
        /// The type, for example `ext4`.
        public let type: String
        /// The device or other source, as the mounter gave it.
        public let source: String
        /// The file system's own options as they stand in the table, escapes and all.
        let rawOptions: [UInt8]

        /// Whether `path` is the mount point or below it, as far as names tell.
        public func holds(_ path: String) -> Bool {
            // By bytes, as the kernel compares them: equal text may be another path.
            path.utf8.elementsEqual(self.path.utf8)
                || path.utf8.starts(with: (self.path == "/" ? "/" : self.path + "/").utf8)
        }

        /// The value of one of the file system's own options, for example `upperdir`; empty for one without a
        /// value, `nil` where it is not among them.
        public func option(_ name: String) -> String? {
            let name = Array(name.utf8)
            for field in rawOptions.split(separator: UInt8(ascii: ",")) where field.starts(with: name) {
                let rest = field.dropFirst(name.count)
                if rest.isEmpty { return "" }
                if rest.first == UInt8(ascii: "=") { return MountTable.unescape(rest.dropFirst()) }
            }
            return nil
        }
    }

    public let mounts: [Mount]

    /// Reads the table of the calling process.
    public static func current() throws(BoundedFile.Failure) -> MountTable {
        MountTable(parsing: try BoundedFile.read(path: "/proc/self/mountinfo", limit: 64 << 20))
    }

    /// Parses the format of `proc(5)`: `36 35 98:0 /root /mnt options - ext4 /dev/sda rw`, where space, tab,
    /// newline and backslash in a path are octal escapes.
    public init(parsing bytes: [UInt8]) {
        mounts = bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "))
            guard let dash = fields.firstIndex(where: { $0.elementsEqual([UInt8(ascii: "-")]) }),
                fields.count >= 6, fields.count > dash + 2,
                let id = DecimalText.number(fields[0], as: UInt32.self),
                let device = Self.device(fields[2])
            else { return nil }
            return Mount(
                id: id, device: device, root: Self.unescape(fields[3]), path: Self.unescape(fields[4]),
                type: Self.unescape(fields[dash + 1]), source: Self.unescape(fields[dash + 2]),
                rawOptions: fields.count > dash + 3 ? Array(fields[dash + 3]) : [])
        }
    }

    /// The mount that holds `path`, which must be absolute and free of symbolic links: the longest mount point
    /// that is a prefix, the last mounted where several are equal.
    public func mount(holding path: String) -> Mount? {
        var best: Mount?
        for mount in mounts {
            guard mount.holds(path) else { continue }
            if mount.path.utf8.count >= (best?.path.utf8.count ?? 0) { best = mount }
        }
        return best
    }

    /// `major:minor` as one number, in the way of `makedev(3)`.
    private static func device(_ field: ArraySlice<UInt8>) -> UInt64? {
        let parts = field.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, let major = DecimalText.number(parts[0], as: UInt32.self),
            let minor = DecimalText.number(parts[1], as: UInt32.self)
        else { return nil }
        return FileStatus.device(major: major, minor: minor)
    }

    private static func unescape(_ field: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                digits.allSatisfy({ (0x30...0x37).contains($0) })
            {
                bytes.append(digits.reduce(0) { $0 &* 8 &+ ($1 &- 0x30) })
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
