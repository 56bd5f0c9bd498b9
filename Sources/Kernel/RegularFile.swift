internal import CLinux
internal import Glibc
internal import SystemPackage

/// An open regular file, read by position; it is closed with its last reference.
public final class RegularFile: Sendable {
    let raw: Int32
    /// For messages.
    public let path: String

    private init(adopting raw: Int32, path: String) {
        self.raw = raw
        self.path = path
    }

    deinit {
        Glibc.close(raw)
        DescriptorReserve.takeBack()
    }

    /// Opens a regular file for reading.
    ///
    /// The last component may not be a symbolic link, unless `followingLinks` says so; a FIFO, socket or device is
    /// refused without being opened.
    public static func open(
        path: String, followingLinks: Bool = false
    ) throws(BoundedFile.Failure) -> RegularFile {
        let links = followingLinks ? 0 : O_NOFOLLOW
        return try open(
            DescriptorReserve.opening { Glibc.open(path, CLINUX_O_PATH | links | O_CLOEXEC) }, path: path)
    }

    /// Opens entry `name` of `directory` under the same rules.
    public static func open(
        _ name: FileName, in directory: Directory
    ) throws(BoundedFile.Failure) -> RegularFile {
        let raw = name.withCString { name in
            DescriptorReserve.opening {
                Glibc.openat(directory.descriptor.rawValue, name, CLINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC)
            }
        }
        return try open(raw, path: name.escaped)
    }

    /// Opens what `handle` names, which it closes.
    ///
    /// Opening a device can do something, like rewinding a tape, so the inode is held by `O_PATH`, which opens
    /// nothing, until its type is known.
    private static func open(_ handle: Int32, path: String) throws(BoundedFile.Failure) -> RegularFile {
        guard handle >= 0 else {
            if currentErrno() == .tooManySymbolicLinkLevels { throw .notRegular(path: path) }
            throw .system(KernelError(call: "open", path: path))
        }
        defer {
            Glibc.close(handle)
            DescriptorReserve.takeBack()
        }
        var status = clinux_status()
        guard clinux_status_at(handle, "", &status) == 0 else {
            throw .system(KernelError(call: "fstat", path: path))
        }
        guard status.mode & UInt32(S_IFMT) == UInt32(S_IFREG) else { throw .notRegular(path: path) }
        let raw = DescriptorReserve.opening {
            Glibc.open("/proc/self/fd/\(handle)", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        }
        guard raw >= 0 else { throw .system(KernelError(call: "open", path: path)) }
        return RegularFile(adopting: raw, path: path)
    }

    public func status() throws(BoundedFile.Failure) -> FileStatus {
        var status = clinux_status()
        guard clinux_status_at(raw, "", &status) == 0 else {
            throw .system(KernelError(call: "fstat", path: path))
        }
        return FileStatus(status)
    }

    /// Up to `count` bytes from `offset` on; fewer only where the file ends.
    public func read(_ count: Int, at offset: Int) throws(BoundedFile.Failure) -> [UInt8] {
        var failure: KernelError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(
                    raw, buffer.baseAddress?.advanced(by: filled), count - filled, offset + filled)
                if got == 0 { return }
                guard got > 0 else {
                    if currentErrno() == .interrupted { continue }
                    failure = KernelError(call: "pread", path: path)
                    return
                }
                filled += got
            }
        }
        if let failure { throw .system(failure) }
        return bytes
    }
}
