internal import CLinux
internal import Glibc
internal import SystemPackage

/// What directories of `/proc` have beside others: links that lead to what they are about, and files that are made
/// while they are read.
extension Directory {
    /// What the symbolic link `name` says.
    ///
    /// The corresponding C function is `readlinkat`; for a link of `/proc/PID/fd` it asks no file system.
    func link(_ name: FileName) throws(KernelError) -> [UInt8] {
        var result: [UInt8] = []
        var failure: KernelError?
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("an allocation of many bytes") }
            let count = name.withCString {
                readlinkat(descriptor.rawValue, $0, base, buffer.count)
            }
            guard count >= 0 else {
                failure = KernelError(call: "readlinkat", path: name.escaped)
                return
            }
            result = buffer[..<count].map { UInt8(bitPattern: $0) }
        }
        if let failure { throw failure }
        return result
    }

    /// The status of the file that the link `name` of `/proc/PID` leads to; nothing is opened.
    ///
    /// It asks the file's file system, which may take for ever where that is a network's.
    func statusBehind(_ name: FileName) throws(KernelError) -> FileStatus {
        var raw = clinux_status()
        guard name.withCString({ clinux_status_behind(descriptor.rawValue, $0, &raw) }) == 0 else {
            throw KernelError(call: "fstatat", path: name.escaped)
        }
        return FileStatus(raw)
    }

    /// Of `/proc/PID`: which namespace of this kind the process is in, by a number that lives as long as it does.
    func namespace(_ kind: String) throws(KernelError) -> UInt64 {
        try statusBehind(FileName("ns/\(kind)")).identity.inode
    }

    /// Of `/proc/PID`: the user namespace that owns the process's namespace of this kind.
    func namespaceOwner(_ kind: String) throws(KernelError) -> UInt64 {
        let raw = openat(descriptor.rawValue, "ns/\(kind)", O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw KernelError(call: "openat", path: "ns/\(kind)") }
        defer { close(raw) }
        let owner = clinux_namespace_owner(raw)
        guard owner >= 0 else { throw KernelError(call: "ioctl NS_GET_USERNS") }
        defer { close(owner) }
        var status = clinux_status()
        guard clinux_status_at(owner, "", &status) == 0 else { throw KernelError(call: "fstat") }
        return status.inode
    }

    /// The first `limit` bytes of the file `name` of `/proc`, and whether that is all of it; of a short file, which the
    /// kernel gives in one piece, what the first call reads.
    func beginning(
        of name: FileName, limit: Int, isShort: Bool = false
    ) throws(KernelError) -> (bytes: [UInt8], isWhole: Bool) {
        let raw = name.withCString {
            openat(descriptor.rawValue, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        }
        guard raw >= 0 else { throw KernelError(call: "openat", path: name.escaped) }
        defer { close(raw) }
        var bytes: [UInt8] = []
        var failure: KernelError?
        withUnsafeTemporaryAllocation(byteCount: min(limit + 1, 32 * 1024), alignment: 1) { buffer in
            while bytes.count <= limit {
                let count = read(raw, buffer.baseAddress, min(buffer.count, limit + 1 - bytes.count))
                if count == 0 { return }
                guard count > 0 else {
                    if currentErrno() == .interrupted { continue }
                    failure = KernelError(call: "read", path: name.escaped)
                    return
                }
                bytes.append(contentsOf: buffer[..<count])
                if isShort { return }
            }
        }
        if let failure { throw failure }
        return bytes.count > limit ? (Array(bytes.prefix(limit)), false) : (bytes, true)
    }
}
