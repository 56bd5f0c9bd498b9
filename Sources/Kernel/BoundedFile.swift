internal import CLinux
internal import Glibc
internal import SystemPackage

/// Reads whole metadata files without trusting what they are.
public enum BoundedFile {
    /// Why a file was not read.
    public enum Failure: Error, Hashable, Sendable {
        case system(KernelError)
        /// It is a directory, device, FIFO, socket or symbolic link.
        case notRegular(path: String)
        case tooLarge(path: String, limit: Int)
    }

    /// Reads a regular file of at most `limit` bytes.
    ///
    /// The last component may not be a symbolic link, unless `followingLinks` says so, for a file of the
    /// operator's own; a FIFO, socket or device is refused without being opened.
    public static func read(
        path: String, limit: Int, followingLinks: Bool = false
    ) throws(Failure) -> [UInt8] {
        let links = followingLinks ? 0 : O_NOFOLLOW
        return try contents(
            of: DescriptorReserve.opening { Glibc.open(path, CLINUX_O_PATH | links | O_CLOEXEC) }, path: path,
            limit: limit)
    }

    /// Reads entry `name` of `directory` under the same rules.
    public static func read(_ name: FileName, in directory: Directory, limit: Int) throws(Failure) -> [UInt8]
    {
        let raw = name.withCString { name in
            DescriptorReserve.opening {
                Glibc.openat(directory.descriptor.rawValue, name, CLINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC)
            }
        }
        return try contents(of: raw, path: name.escaped, limit: limit)
    }

    /// Reads what `handle` names, which it closes.
    ///
    /// Opening a device can do something, like rewinding a tape, so the inode is held by `O_PATH`, which opens
    /// nothing, until its type is known.
    private static func contents(of handle: Int32, path: String, limit: Int) throws(Failure) -> [UInt8] {
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
        guard status.size <= UInt64(limit) else { throw .tooLarge(path: path, limit: limit) }
        let raw = DescriptorReserve.opening {
            Glibc.open("/proc/self/fd/\(handle)", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        }
        guard raw >= 0 else { throw .system(KernelError(call: "open", path: path)) }
        defer { Glibc.close(raw) }

        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.size) + 1)
        var failure: Failure?
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            while true {
                let count = Glibc.read(raw, buffer.baseAddress, buffer.count)
                if count == 0 { return }
                guard count > 0 else {
                    if currentErrno() == .interrupted { continue }
                    failure = .system(KernelError(call: "read", path: path))
                    return
                }
                bytes.append(contentsOf: buffer[..<count])
                // It may grow while it is read.
                guard bytes.count <= limit else {
                    failure = .tooLarge(path: path, limit: limit)
                    return
                }
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

extension BoundedFile.Failure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .notRegular(let path): "\(path): not a regular file"
        case .tooLarge(let path, let limit): "\(path): larger than \(limit) bytes"
        }
    }

    /// Whether the file is simply not there.
    public var isMissing: Bool {
        if case .system(let error) = self {
            return error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory
        }
        return false
    }
}
