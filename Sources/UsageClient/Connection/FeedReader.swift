public import FoundationEssentials
internal import Glibc
internal import Wire

/// One connection to `/v1/feed`, read line by line.
public final class FeedReader {
    public enum Wake: Sendable {
        /// One line of JSON, without its end.
        case line(Data)
        /// Something else became readable.
        case other
        /// Nothing came in time.
        case idle
        /// The daemon ended the feed.
        case ended
    }

    /// A snapshot is one line; longer lines are refused.
    public static let lineLimit = 64 << 20

    private let daemon: DaemonConnection
    private let connection: UnixSocket
    private var parser = ResponseParser(bodyLimit: nil)
    private var lines = LineSplitter(limit: lineLimit)

    init(_ daemon: DaemonConnection, after id: Int64?) throws(ClientError) {
        self.daemon = daemon
        connection = try UnixSocket(path: daemon.socket, timeout: daemon.timeout)
        let resume = id.map { [("Last-Event-ID", String($0))] } ?? []
        try connection.send(
            DaemonConnection.request(.feed, accept: "application/x-ndjson", fields: resume))
        let deadline = ContinuousClock.now + daemon.timeout
        while parser.head == nil {
            try daemon.receive(into: &parser, from: connection, until: deadline)
        }
        guard parser.head?.status == 200 else {
            throw try problem(until: deadline)
        }
        try takeLines()
    }

    private func problem(until deadline: ContinuousClock.Instant) throws(ClientError) -> ClientError {
        var body = parser.takeBody()
        while !parser.isComplete, body.count < 1 << 20 {
            try daemon.receive(into: &parser, from: connection, until: deadline)
            body += parser.takeBody()
        }
        return daemon.failure(parser.head ?? ResponseParser.Head(status: 0, fields: [:]), body)
    }

    /// Waits for the next line, for another descriptor to become readable, or for the time to be over.
    public func next(or other: [Int32] = [], within wait: Duration) throws(ClientError) -> Wake {
        let deadline = ContinuousClock.now + wait
        var mayWait = true
        while true {
            if let line = lines.nextLine() { return .line(Data(line)) }
            if parser.isComplete { return .ended }
            guard mayWait else { return .idle }
            let ready = UnixSocket.wait(for: [connection.descriptor] + other, until: deadline)
            if ready.dropFirst().contains(true) { return .other }
            mayWait = ready[0]
            if ready[0] { try receive() }
        }
    }

    private func receive() throws(ClientError) {
        do throws(any Error) {
            switch try connection.receive() {
            case .bytes(let bytes): try parser.receive(bytes)
            case .end: try parser.end()
            case .nothingYet: return
            }
        } catch let failure as ResponseParser.Failure {
            throw daemon.clientError(failure)
        } catch let failure as ClientError {
            throw failure
        } catch {
            throw ClientError.disconnected(daemon.socket)
        }
        try takeLines()
    }

    private func takeLines() throws(ClientError) {
        do {
            try lines.receive(parser.takeBody())
        } catch {
            throw ClientError(
                .tooLarge,
                "an event on \(TerminalText.name(daemon.socket)) is longer than \(error.limit) bytes; not read"
            )
        }
    }
}

extension DaemonConnection {
    /// Starts to read the feed, behind the event with an id where one is given.
    public func feed(after id: Int64? = nil) throws(ClientError) -> FeedReader {
        try FeedReader(self, after: id)
    }

    func event(_ line: Data) throws(ClientError) -> FeedEvent {
        try decode(line)
    }
}
