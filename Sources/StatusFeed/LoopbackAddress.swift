import Glibc

/// A TCP port of a loopback address.
public struct LoopbackAddress: Hashable, Sendable, CustomStringConvertible {
    /// `127.0.0.1` or `::1`.
    private let isIPv6: Bool
    private let port: UInt16

    /// Reads `127.0.0.1:PORT` or `[::1]:PORT`; `nil` for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        switch text[..<colon] {
        case "127.0.0.1": isIPv6 = false
        case "[::1]": isIPv6 = true
        default: return nil
        }
        self.port = port
    }

    public var description: String { (isIPv6 ? "[::1]:" : "127.0.0.1:") + String(port) }

    /// A descriptor that listens there; -1 with `errno` set where that fails.
    func listeningSocket() -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
        guard descriptor >= 0 else { return -1 }
        // Connections of the process before may still wait for their end.
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor), listen(descriptor, SOMAXCONN) == 0 else {
            let error = errno
            close(descriptor)
            errno = error
            return -1
        }
        return descriptor
    }

    private func bind(_ descriptor: Int32) -> Bool {
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            return Self.bind(descriptor, &address)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return Self.bind(descriptor, &address)
    }

    private static func bind<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
    }
}
