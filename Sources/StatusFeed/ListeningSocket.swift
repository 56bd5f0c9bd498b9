/// The socket that a server takes connections on.
public enum ListeningSocket: Hashable, Sendable {
    /// A Unix socket to be created here, with mode 0660.
    ///
    /// Its directory must exist. The socket file of a dead daemon is replaced; where one still listens, nothing is
    /// touched and an error is thrown. The file is removed at the end.
    case path(String)
    /// A listening stream socket that systemd passed; the server closes it at the end and leaves its file.
    case descriptor(Int32)
    /// A TCP socket to be opened on this host alone.
    case loopback(LoopbackAddress)
}

/// Why a socket cannot be listened on.
public struct ListeningSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// Another process listens on the path.
        case inUse
        /// The path is taken by something that is not a socket.
        case notASocket
        case pathTooLong
        case directoryMissing
        /// The descriptor is not a listening stream socket.
        case notListening
        case systemCall
    }

    public let code: Code
    /// What failed, on what, why, and what to do.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
