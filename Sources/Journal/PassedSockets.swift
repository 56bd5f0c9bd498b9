internal import CSystemd
internal import Glibc

/// The listening sockets that the service manager passed in; see `sd_listen_fds(3)`.
public struct PassedSockets: Hashable, Sendable {
    public struct Refused: Hashable, Sendable {
        public var name: String
        /// Why, and what to do.
        public var reason: String
    }

    /// Unix stream sockets for the feed.
    public var feed: [Int32] = []
    /// TCP sockets bound to a loopback address, for metrics and the page.
    public var web: [Int32] = []
    /// What was passed but cannot be served; those descriptors are closed.
    public var refused: [Refused] = []

    /// `FileDescriptorName=` of the two units.
    public static let feedName = "usaged.socket"
    public static let webName = "usaged-web.socket"

    public init() {}

    /// Takes the passed sockets over, with close-on-exec set, and removes their variables from the
    /// environment.
    ///
    /// A second call finds none. Call it before there are other threads, for it changes the environment.
    public static func take() -> PassedSockets {
        var sockets = PassedSockets()
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        defer {
            var next = names
            while let name = next?.pointee {
                free(name)
                next = next?.advanced(by: 1)
            }
            free(names)
        }
        guard count >= 0 else {
            let reason = "\(String(cString: strerror(-count))): check LISTEN_FDS and LISTEN_FDNAMES"
            sockets.refused.append(Refused(name: "LISTEN_FDS", reason: reason))
            return sockets
        }
        for offset in 0..<Int(count) {
            let descriptor = Int32(offset) + 3
            let name = names?[offset].map { String(cString: $0) } ?? "unknown"
            switch purpose(name: name, kind: SocketKind(descriptor)) {
            case .success(.feed): sockets.feed.append(descriptor)
            case .success(.web): sockets.web.append(descriptor)
            case .failure(let refusal):
                sockets.refused.append(
                    Refused(name: PrintableText.escape(name, limit: 256), reason: refusal.reason))
                Glibc.close(descriptor)
            }
        }
        return sockets
    }

    enum Purpose: Hashable {
        case feed, web
    }

    struct Refusal: Error, Hashable {
        var reason: String
    }

    /// What a socket is for: what its name says if it fits, for other names what it is.
    static func purpose(name: String, kind: SocketKind) -> Result<Purpose, Refusal> {
        switch (name, kind) {
        case (_, .other):
            .failure(Refusal(reason: "not a listening stream socket; set ListenStream= and Accept=no"))
        case (_, .tcp(isLoopback: false)):
            .failure(
                Refusal(reason: "it listens beyond this host; set ListenStream=127.0.0.1:PORT or [::1]:PORT"))
        case (feedName, .tcp):
            .failure(Refusal(reason: "a TCP socket; set ListenStream= to a path"))
        case (webName, .unix):
            .failure(Refusal(reason: "a Unix socket; set ListenStream=127.0.0.1:PORT"))
        case (_, .unix): .success(.feed)
        case (_, .tcp(isLoopback: true)): .success(.web)
        }
    }
}

/// What kind of socket a descriptor is.
enum SocketKind: Hashable {
    /// A listening Unix stream socket.
    case unix
    /// A listening TCP socket.
    case tcp(isLoopback: Bool)
    case other

    init(_ descriptor: Int32) {
        if sd_is_socket(descriptor, AF_UNIX, Int32(SOCK_STREAM.rawValue), 1) > 0 {
            self = .unix
        } else if sd_is_socket(descriptor, AF_INET, Int32(SOCK_STREAM.rawValue), 1) > 0 {
            var address = sockaddr_in()
            self = .tcp(
                isLoopback: SocketKind.name(of: descriptor, into: &address)
                    && UInt32(bigEndian: address.sin_addr.s_addr) >> 24 == 127)
        } else if sd_is_socket(descriptor, AF_INET6, Int32(SOCK_STREAM.rawValue), 1) > 0 {
            var address = sockaddr_in6()
            let isKnown = SocketKind.name(of: descriptor, into: &address)
            let bytes = withUnsafeBytes(of: address.sin6_addr) { Array($0) }
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 255 && bytes[11] == 255
            self = .tcp(
                isLoopback: isKnown
                    && (bytes == [UInt8](repeating: 0, count: 15) + [1] || isMapped && bytes[12] == 127))
        } else {
            self = .other
        }
    }

    private static func name<Address>(of descriptor: Int32, into address: inout Address) -> Bool {
        var length = socklen_t(MemoryLayout<Address>.size)
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
        }
    }
}
