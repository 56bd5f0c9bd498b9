import Glibc
public import Logging

/// A listening descriptor, and the file to remove at the end where this process made it.
///
/// Every function blocks for a moment and belongs on a thread.
public struct BoundSocket: Sendable {
    let descriptor: Int32
    private let file: File?

    private struct File: Sendable {
        let path: String
        let device: dev_t
        let inode: ino_t
    }

    /// Opens what `socket` names; the socket file goes to `group` where a group of that name exists.
    ///
    /// Clients may connect from then on; they are answered once a ``StatusServer`` runs on it.
    public static func open(
        _ socket: ListeningSocket, group: String?, logger: Logger
    ) throws(ListeningSocketError) -> BoundSocket {
        switch socket {
        case .descriptor(let descriptor):
            try check(descriptor)
            return BoundSocket(descriptor: descriptor, file: nil)
        case .path(let path):
            return try create(path, group: group, logger: logger)
        case .loopback(let address):
            let descriptor = address.listeningSocket()
            guard descriptor < 0 else { return BoundSocket(descriptor: descriptor, file: nil) }
            guard errno != EADDRINUSE else {
                throw ListeningSocketError(
                    .inUse, "another process listens on \(address); choose another port")
            }
            throw failure("listen", address.description)
        }
    }

    /// Lets as many clients wait as the kernel allows: NIO shortens the queue of a socket that it is given to 128.
    ///
    /// A shorter one still serves, so it does not matter where this fails.
    func restoreQueue() {
        _ = listen(descriptor, SOMAXCONN)
    }

    /// Gives up a socket that no server ran on.
    public func close() {
        removeFile()
        Glibc.close(descriptor)
    }

    /// Removes the socket file if it is still the one that was made here.
    func removeFile() {
        guard let file else { return }
        var status = stat()
        guard lstat(file.path, &status) == 0, status.st_dev == file.device, status.st_ino == file.inode else {
            return
        }
        unlink(file.path)
    }

    // MARK: - A passed descriptor

    private static func check(_ descriptor: Int32) throws(ListeningSocketError) {
        guard option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue),
            option(SO_ACCEPTCONN, of: descriptor) == 1
        else {
            throw ListeningSocketError(
                .notListening,
                "descriptor \(descriptor) is not a listening stream socket; pass one by a socket unit with "
                    + "ListenStream= and Accept=no")
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }

    // MARK: - A socket file

    private static func create(
        _ path: String, group: String?, logger: Logger
    ) throws(ListeningSocketError) -> BoundSocket {
        guard var address = UnixAddress(path) else {
            throw ListeningSocketError(
                .pathTooLong,
                "socket path \(path) is empty or longer than \(UnixAddress.longestPath) bytes; choose another one"
            )
        }
        try clearTheWay(path, &address)
        let descriptor = socket(AF_UNIX, streamType, 0)
        guard descriptor >= 0 else { throw failure("socket", path) }
        do throws(ListeningSocketError) {
            // The file takes this mode less the umask, so that it is at no moment open to more than 0660 says.
            guard fchmod(descriptor, 0o660) == 0 else { throw failure("fchmod", path) }
            guard address.withPointer({ bind(descriptor, $0, $1) }) == 0 else {
                throw errno == EADDRINUSE ? inUse(path) : failure("bind", path)
            }
            if let group { give(path, to: group, logger: logger) }
            guard chmod(path, 0o660) == 0 else { throw failure("chmod", path) }
            guard listen(descriptor, SOMAXCONN) == 0 else { throw failure("listen", path) }
            var status = stat()
            guard lstat(path, &status) == 0 else { throw failure("lstat", path) }
            return BoundSocket(
                descriptor: descriptor, file: File(path: path, device: status.st_dev, inode: status.st_ino))
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }

    /// Makes sure that nothing is at the path, and removes what a dead daemon left there.
    private static func clearTheWay(_ path: String, _ address: inout UnixAddress) throws(ListeningSocketError)
    {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT {
                let directory =
                    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
                guard stat(directory, &status) != 0 else { return }
                throw ListeningSocketError(
                    .directoryMissing,
                    "the directory of socket \(path) does not exist; create \(directory), or let systemd do it with "
                        + "RuntimeDirectory=")
            }
            throw failure("lstat", path)
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ListeningSocketError(
                .notASocket, "\(path) exists and is not a socket; remove it or choose another socket path")
        }
        let probe = socket(AF_UNIX, streamType, 0)
        guard probe >= 0 else { throw failure("socket", path) }
        defer { Glibc.close(probe) }
        let connected = address.withPointer { connect(probe, $0, $1) } == 0
        // A full backlog (EAGAIN) and a refused permission mean that somebody may well listen.
        guard !connected, errno == ECONNREFUSED else { throw inUse(path) }
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("unlink", path) }
    }

    private static func give(_ path: String, to group: String, logger: Logger) {
        guard let id = groupID(group) else {
            logger.info(
                "there is no group \(group): only root and the daemon's own user and group may use the socket",
                metadata: ["group": "\(group)", "socket": "\(path)"])
            return
        }
        guard lchown(path, uid_t.max, id) == 0 else {
            let reason = String(cString: strerror(errno))
            logger.warning(
                "the socket cannot be given to the group; add the daemon's user to it or run as root",
                metadata: ["group": "\(group)", "socket": "\(path)", "reason": "\(reason)"])
            return
        }
    }

    private static func groupID(_ name: String) -> gid_t? {
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        var buffer = [CChar](repeating: 0, count: 64 * 1024)
        guard getgrnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return entry.gr_gid
    }

    private static let streamType =
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    private static func inUse(_ path: String) -> ListeningSocketError {
        ListeningSocketError(
            .inUse,
            "another process listens on \(path); stop it (systemctl stop usaged.socket usaged.service) or choose "
                + "another socket path")
    }

    private static func failure(_ call: String, _ path: String) -> ListeningSocketError {
        ListeningSocketError(.systemCall, "\(call) \(path): \(String(cString: strerror(errno)))")
    }
}

/// `struct sockaddr_un` with a path.
struct UnixAddress {
    /// Bytes of `sun_path` less the NUL.
    static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    private var address = sockaddr_un()

    init?(_ path: String) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= Self.longestPath, !bytes.contains(0) else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    }

    mutating func withPointer<T>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
