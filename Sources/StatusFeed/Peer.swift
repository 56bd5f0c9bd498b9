import NIOCore

/// Who is at the other end of a connection.
struct Peer: Hashable, Sendable {
    /// Unknown on a TCP socket.
    var userID: UInt32?
    /// Whether it is root or the daemon's own user.
    var isPrivileged: Bool
    /// The user's number, for records.
    var name: String { userID.map { String($0) } ?? "unknown" }

    init(userID: UInt32?, daemonUserID: UInt32) {
        self.userID = userID
        self.isPrivileged = userID == 0 || userID == daemonUserID
    }
}

extension Peer {
    /// Asks the kernel who connected (`SO_PEERCRED`, see unix(7)); must be called on the channel's event loop.
    ///
    /// The answer is that of the moment of the `connect`, which a client cannot change afterwards.
    static func credentials(of channel: any Channel, daemonUserID: UInt32) -> EventLoopFuture<Peer> {
        guard let socket = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(Peer(userID: nil, daemonUserID: daemonUserID))
        }
        let answer: EventLoopFuture<Credentials> = socket.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: Credentials.option))
        return answer.map { credentials in
            // The kernel gives -1 for a socket of another family.
            let userID = credentials.userID == .max ? nil : credentials.userID
            return Peer(userID: userID, daemonUserID: daemonUserID)
        }.flatMapErrorThrowing { _ in
            Peer(userID: nil, daemonUserID: daemonUserID)
        }
    }

    /// `struct ucred` of `<sys/socket.h>`, which Swift's Glibc module does not show.
    private struct Credentials: Sendable {
        /// `SO_PEERCRED` of `<asm-generic/socket.h>`.
        static let option: Int32 = 17

        var processID: Int32 = 0
        var userID: UInt32 = .max
        var groupID: UInt32 = .max
    }
}
