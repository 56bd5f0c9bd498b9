internal import Glibc

/// Binds a stream socket to a new file and listens; nobody need accept.
public func listen(at path: String, backlog: Int32 = 64) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let isBound = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
    }
    guard isBound, listen(descriptor, backlog) == 0 else {
        let reason = String(cString: strerror(errno))
        close(descriptor)
        throw WaitFailure(description: "cannot listen on \(path): \(reason)")
    }
    return descriptor
}
