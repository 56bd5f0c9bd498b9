internal import CLinux
internal import Glibc
public import SystemPackage

/// An open directory, closed with its last reference.
///
/// Everything below it is reached by one name at a time and never through a symbolic link, so that a
/// container that swaps a directory for a link leads nowhere.
public final class Directory: Sendable {
    public let descriptor: FileDescriptor

    private init(adopting raw: Int32) {
        descriptor = FileDescriptor(rawValue: raw)
    }

    deinit {
        try? descriptor.close()
        DescriptorReserve.takeBack()
    }

    /// Opens a directory that the operator or a store's metadata named; symbolic links on the way are followed, and
    /// the last component where `followingLast` says so.
    ///
    /// The corresponding C function is `open` with `O_DIRECTORY`.
    public static func open(path: String, followingLast: Bool = true) throws(KernelError) -> Directory {
        let links = followingLast ? 0 : O_NOFOLLOW
        let raw = DescriptorReserve.opening {
            Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | links)
        }
        guard raw >= 0 else { throw KernelError(call: "open", path: path) }
        return Directory(adopting: raw)
    }

    /// Opens the directory that entry `name` is; fails with `ELOOP` or `ENOTDIR` where it is anything else.
    ///
    /// The corresponding C function is `openat` with `O_DIRECTORY | O_NOFOLLOW`.
    public func openChild(_ name: FileName) throws(KernelError) -> Directory {
        let raw = name.withCString { cName in
            DescriptorReserve.opening {
                Glibc.openat(
                    descriptor.rawValue, cName, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
            }
        }
        guard raw >= 0 else { throw KernelError(call: "openat", path: name.escaped) }
        return Directory(adopting: raw)
    }

    /// Opens a directory any number of levels below this one, by way of directories alone.
    ///
    /// No symbolic link on the way is passed, whatever is renamed meanwhile; the path may be longer than `PATH_MAX`.
    /// It may lead into a mount: the status says of which file system. The corresponding C function is `openat2`
    /// with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`; where it is missing (Linux before 5.6), `openat` name by name.
    public func openDescendant(_ path: [FileName]) throws(KernelError) -> Directory {
        var directory = self
        var rest = path[...]
        while let first = rest.first {
            var chunk = first.bytes
            rest = rest.dropFirst()
            while let next = rest.first, chunk.count + next.bytes.count < 3_800 {
                chunk.append(UInt8(ascii: "/"))
                chunk += next.bytes
                rest = rest.dropFirst()
            }
            directory = try directory.openBeneath(chunk)
        }
        return directory
    }

    private func openBeneath(_ path: [UInt8]) throws(KernelError) -> Directory {
        let raw = FileName(bytes: path).withCString { cPath in
            DescriptorReserve.opening {
                clinux_openat2(
                    descriptor.rawValue, cPath,
                    UInt64(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
                    CLINUX_RESOLVE_BENEATH | CLINUX_RESOLVE_NO_SYMLINKS)
            }
        }
        if raw >= 0 { return Directory(adopting: raw) }
        guard currentErrno() == .noFunction else {
            throw KernelError(call: "openat2", path: FileName.escape(path))
        }
        var directory = self
        for name in path.split(separator: UInt8(ascii: "/")) {
            directory = try directory.openChild(FileName(bytes: Array(name)))
        }
        return directory
    }

    /// The status of entry `name`, of a symbolic link itself.
    ///
    /// The corresponding C function is `fstatat` with `AT_SYMLINK_NOFOLLOW`.
    public func status(of name: FileName) throws(KernelError) -> FileStatus {
        var raw = clinux_status()
        let result = name.withCString { cName in
            retryingOnInterrupt { clinux_status_at(descriptor.rawValue, cName, &raw) }
        }
        guard result == 0 else { throw KernelError(call: "fstatat", path: name.escaped) }
        return FileStatus(raw)
    }

    /// The status of an entry that is being listed, of a symbolic link itself.
    public func status(of entry: ListedEntry) throws(KernelError) -> FileStatus {
        var raw = clinux_status()
        let result = retryingOnInterrupt { clinux_status_at(descriptor.rawValue, entry.cName, &raw) }
        guard result == 0 else { throw KernelError(call: "fstatat", path: entry.name.escaped) }
        return FileStatus(raw)
    }

    /// The status of this directory.
    public func status() throws(KernelError) -> FileStatus {
        var raw = clinux_status()
        guard clinux_status_at(descriptor.rawValue, "", &raw) == 0 else { throw KernelError(call: "fstatat") }
        return FileStatus(raw)
    }

    /// One entry as `getdents64` returns it.
    public struct Entry: Hashable, Sendable {
        public let name: FileName
        /// Whether the file system said that the entry is a directory; `nil` where it did not say.
        public let isDirectory: Bool?
    }

    /// Calls `body` for each entry but `.` and `..`, from the first on, in the file system's order.
    ///
    /// Entries that appear or go meanwhile may or may not be seen, as with `readdir`.
    /// The corresponding C function is `getdents64`.
    public func forEachEntry(_ body: (Entry) throws -> Void) throws {
        try withUnsafeTemporaryAllocation(byteCount: DirectoryListing.Buffer.size, alignment: 8) { buffer in
            var listing = try DirectoryListing(of: self, in: buffer)
            while let listed = try listing.next() {
                try body(Entry(name: listed.name, isDirectory: listed.isDirectory))
            }
        }
    }

    /// The names of all entries but `.` and `..`.
    public func names() throws(KernelError) -> [FileName] {
        var names: [FileName] = []
        var listing = try DirectoryListing(of: self, in: DirectoryListing.Buffer())
        while let entry = try listing.next() { names.append(entry.name) }
        return names
    }

    /// All entries but `.` and `..`.
    public func entries() throws -> [Entry] {
        var all: [Entry] = []
        try forEachEntry { all.append($0) }
        return all
    }
}

extension FileName {
    /// Calls `body` with the name as a C string.
    public func withCString<R>(_ body: (UnsafePointer<CChar>) throws -> R) rethrows -> R {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            buffer[bytes.count] = 0
            guard let base = buffer.baseAddress else {
                preconditionFailure("an allocation of at least one byte")
            }
            return try body(base)
        }
    }
}
