package import Accounting
internal import Glibc
internal import Kernel

/// A walk over a whole tree by path, the slow and plain oracle of both measures.
///
/// It shares no code with the scanner under test.
public struct FullWalk: Hashable, Sendable {
    /// Allocated bytes of distinct inodes, directories included.
    public private(set) var diskBytes: Int64 = 0
    /// Apparent bytes of distinct inodes that are not directories.
    public private(set) var sizeBytes: Int64 = 0
    public private(set) var inodes: Int64 = 0
    public private(set) var directories: Int64 = 0

    /// Overlayfs's whiteouts among the inodes: they have neither bytes nor blocks, and accounting leaves them out.
    private var whiteouts: Int64 = 0

    /// What accounting should find.
    package var total: Measure {
        Measure(diskBytes: diskBytes, sizeBytes: sizeBytes, inodes: inodes - whiteouts)
    }

    /// Walks on a thread of its own; other file systems are left out, and what vanishes meanwhile is.
    public static func measure(_ root: String) async throws -> FullWalk {
        try await withCheckedThrowingContinuation { continuation in
            NamedThread.start("full-walk") {
                continuation.resume(with: Result { try FullWalk(walking: root) })
            }
        }
    }

    /// Walks on the calling thread.
    public init(walking root: String) throws {
        struct Identity: Hashable {
            let device: UInt64
            let inode: UInt64
        }
        var seen: Set<Identity> = []
        var status = stat()
        guard lstat(root, &status) == 0 else { throw WaitFailure(description: "cannot walk \(root)") }
        let device = status.st_dev
        // Names are bytes, not text: a container may choose names that are no UTF-8.
        var pending: [[CChar]] = [Array(root.utf8CString)]
        while let path = pending.popLast() {
            guard lstat(path, &status) == 0, status.st_dev == device else { continue }
            guard seen.insert(Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))).inserted
            else {
                continue
            }
            inodes += 1
            if status.st_mode & S_IFMT == S_IFCHR, status.st_rdev == 0 { whiteouts += 1 }
            diskBytes += Int64(status.st_blocks) * 512
            guard status.st_mode & S_IFMT == S_IFDIR else {
                sizeBytes += Int64(status.st_size)
                continue
            }
            directories += 1
            pending += Self.entries(of: path)
        }
    }

    private static func entries(of path: [CChar]) -> [[CChar]] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var found: [[CChar]] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { start in
                    Array(UnsafeBufferPointer(start: start, count: strlen(start) + 1))
                }
            }
            if name == [46, 0] || name == [46, 46, 0] { continue }
            found.append(path.dropLast() + [47] + name)
        }
        return found
    }
}
