/// The mounts of this process's namespace, from `/proc/self/mountinfo`.
public struct MountTable: Hashable, Sendable {
    public struct Mount: Hashable, Sendable {
        /// The kernel's number for it, which no other has at the same time.
        public let id: Int
        /// Where it is mounted.
        public let path: String
        /// The type, for example `ext4`.
        public let type: String
        /// The device or other source, as the mounter gave it.
        public let source: String
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
                fields.count >= 6, fields.count > dash + 2
            else { return nil }
            return Mount(
                id: Int(String(decoding: fields[0], as: UTF8.self)) ?? 0, path: Self.unescape(fields[4]),
                type: Self.unescape(fields[dash + 1]),
                source: Self.unescape(fields[dash + 2]))
        }
    }

    /// The mount that holds `path`, which must be absolute and free of symbolic links: the longest mount point
    /// that is a prefix, the last mounted where several are equal.
    public func mount(holding path: String) -> Mount? {
        var best: Mount?
        for mount in mounts {
            let prefix = mount.path == "/" ? "/" : mount.path + "/"
            // By bytes, as the kernel compares them: equal text may be another path.
            guard path.utf8.elementsEqual(mount.path.utf8) || path.utf8.starts(with: prefix.utf8) else {
                continue
            }
            if mount.path.utf8.count >= (best?.path.utf8.count ?? 0) { best = mount }
        }
        return best
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
