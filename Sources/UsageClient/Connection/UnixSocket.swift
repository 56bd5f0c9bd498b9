internal import Glibc
internal import SystemPackage

/// A connected stream socket whose waits are bounded; closed with its last owner.
final class UnixSocket {
    enum Received {
        case bytes([UInt8]), end, nothingYet
    }

    private static let pieceSize = 64 << 10

    let descriptor: Int32
    private let path: String
    private let timeout: Duration

    /// Connects; a listener whose queue is full is tried again until the timeout.
    ///
    /// The corresponding C functions are `socket` and `connect`.
    init(path: String, timeout: Duration) throws(ClientError) {
        self.path = path
        self.timeout = timeout
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else {
            throw ClientError(.local, "cannot make a socket: \(Errno(rawValue: Glibc.errno))")
        }
        // From here on whatever is thrown has `deinit` close the descriptor.
        let address = try Self.address(path)
        let deadline = ContinuousClock.now + timeout
        while let failure = Self.connect(descriptor, address) {
            // A Unix socket has no connection under way to wait for: EAGAIN says that the queue is full.
            guard failure == .wouldBlock || failure == .interrupted else {
                throw Self.connectError(failure, path)
            }
            guard ContinuousClock.now < deadline else {
                throw ClientError.timedOut(path, after: timeout)
            }
            _ = poll(nil, 0, 10)
        }
    }

    deinit {
        Glibc.close(descriptor)
    }

    private static func address(_ path: String) throws(ClientError) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard !bytes.isEmpty, bytes.count < room, !bytes.contains(0) else {
            throw ClientError(
                .local,
                "\(TerminalText.name(path)) is no path of a socket: it must have 1 to \(room - 1) bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }

    private static func connect(_ descriptor: Int32, _ address: sockaddr_un) -> Errno? {
        var address = address
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result == 0 ? nil : Errno(rawValue: Glibc.errno)
    }

    private static func connectError(_ failure: Errno, _ path: String) -> ClientError {
        switch failure {
        case .noSuchFileOrDirectory, .notDirectory: .noSocket(path)
        case .connectionRefused: .refused(path)
        case .permissionDenied, .notPermitted: .notPermitted(path)
        default: ClientError(.local, "cannot connect to \(TerminalText.name(path)): \(failure)")
        }
    }

    func send(_ bytes: [UInt8]) throws(ClientError) {
        let deadline = ContinuousClock.now + timeout
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
                continue
            }
            switch Errno(rawValue: Glibc.errno) {
            case .interrupted: continue
            case .wouldBlock:
                guard Self.wait(for: [descriptor], events: Int16(POLLOUT), until: deadline) != [false] else {
                    throw ClientError.timedOut(path, after: timeout)
                }
            default: throw ClientError.disconnected(path)
            }
        }
    }

    /// Reads what is there, without waiting.
    func receive() throws(ClientError) -> Received {
        var failure = Errno(rawValue: 0)
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, length in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count < 0 { failure = Errno(rawValue: Glibc.errno) }
            length = max(0, count)
        }
        switch failure {
        case .wouldBlock, .interrupted: return .nothingYet
        case .connectionReset: return .end
        case Errno(rawValue: 0): return bytes.isEmpty ? .end : .bytes(bytes)
        default: throw ClientError.disconnected(path)
        }
    }

    /// Waits until one of the descriptors is ready or the time is over; which are.
    static func wait(
        for descriptors: [Int32], events: Int16 = Int16(POLLIN), until deadline: ContinuousClock.Instant
    )
        -> [Bool]
    {
        var entries = descriptors.map { pollfd(fd: $0, events: events, revents: 0) }
        while true {
            let left = (deadline - ContinuousClock.now).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1
            let wait = Int32(max(0, min(milliseconds, 1_000_000)))
            let count = poll(&entries, nfds_t(entries.count), wait)
            if count > 0 { return entries.map { $0.revents != 0 } }
            if ContinuousClock.now >= deadline || (count < 0 && Errno(rawValue: Glibc.errno) != .interrupted)
            {
                return descriptors.map { _ in false }
            }
        }
    }
}
