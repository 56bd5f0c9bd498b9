public import Wire

/// Why the daemon gave no answer, or not the one asked for.
public struct ClientError: Error, Hashable, Sendable {
    public enum Code: Hashable, Sendable {
        /// There is no socket at the path.
        case noSocket
        /// A socket, but nobody listens.
        case refused
        /// Nothing came within the timeout.
        case timedOut
        /// The socket's mode forbids it, or the daemon does.
        case notPermitted
        /// The connection ended before the answer did.
        case disconnected
        /// What came is not HTTP or not the shape of the contract.
        case badAnswer
        /// The answer is longer than the client takes.
        case tooLarge
        /// The daemon answered with a problem.
        case problem(Problem.Kind)
        /// The client's own side: a path too long, a descriptor not to be had.
        case local
    }

    public var code: Code
    /// What failed, on what, why, and what to do; safe to print.
    public var message: String
    /// What an ambiguous reference could mean.
    public var candidates: [String]

    public init(_ code: Code, _ message: String, candidates: [String] = []) {
        self.code = code
        self.message = message
        self.candidates = candidates
    }

    public var exitStatus: ExitStatus {
        switch code {
        case .noSocket, .refused, .timedOut, .disconnected: .noDaemon
        case .notPermitted, .problem(.forbidden): .notPermitted
        case .badAnswer, .tooLarge, .problem, .local: .failed
        }
    }

    /// The first line of the message: what failed, without what to do.
    public var summary: String {
        message.split(separator: "\n").first.map(String.init) ?? message
    }

    /// The message with the candidates below it, as many as a person reads.
    public var report: String {
        guard !candidates.isEmpty else { return message }
        let shown = candidates.prefix(20).map { "  \(TerminalText.name($0))" }
        let rest = candidates.count - shown.count
        return ([message] + shown + (rest > 0 ? ["  and \(rest) more"] : [])).joined(separator: "\n")
    }
}

extension ClientError {
    static func noSocket(_ path: String) -> ClientError {
        ClientError(
            .noSocket,
            """
            no daemon: there is no socket \(TerminalText.name(path))
            Start it with: sudo systemctl start usaged.socket
            or name another socket with --socket PATH or USAGED_SOCKET.
            """)
    }

    static func refused(_ path: String) -> ClientError {
        ClientError(
            .refused,
            """
            no daemon: nobody listens on \(TerminalText.name(path)) (connection refused)
            Start it with: sudo systemctl start usaged.socket
            If that fails: systemctl status usaged.socket usaged.service
            """)
    }

    static func timedOut(_ path: String, after timeout: Duration) -> ClientError {
        ClientError(
            .timedOut,
            """
            no daemon: no answer on \(TerminalText.name(path)) within \(timeout.components.seconds) s (timed out)
            Look at: systemctl status usaged.service; journalctl -u usaged.service
            A longer wait: --timeout SECONDS
            """)
    }

    static func notPermitted(_ path: String) -> ClientError {
        ClientError(
            .notPermitted,
            "not permitted to use \(TerminalText.name(path))\(SocketAccess.find(path).advice)")
    }

    static func disconnected(_ path: String) -> ClientError {
        ClientError(
            .disconnected,
            """
            the daemon closed the connection on \(TerminalText.name(path)) before its answer was complete
            Look at: systemctl status usaged.service; journalctl -u usaged.service
            """)
    }

    static func badAnswer(_ path: String, _ reason: String) -> ClientError {
        ClientError(
            .badAnswer,
            """
            what answers on \(TerminalText.name(path)) is not usaged, or a version that this client does not \
            understand: \(reason)
            """)
    }

    /// The daemon's problem; where it forbids something, the socket's group says who may do what.
    static func problem(_ problem: Problem, on socket: String) -> ClientError {
        var message = TerminalText.prose(problem.detail)
        if problem.type == .forbidden {
            let readers = SocketAccess.group(of: socket).map { "Members of the group \($0)" } ?? "Others"
            message += "\n\(readers) may read; changing something is for root: run it with sudo."
        }
        return ClientError(.problem(problem.type), message, candidates: problem.candidates ?? [])
    }
}
