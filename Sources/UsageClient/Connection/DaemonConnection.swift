public import FoundationEssentials
public import Wire

/// The daemon behind its socket: one connection for each request.
///
/// Calls block the calling thread, at most for the timeout.
public struct DaemonConnection: Sendable {
    public static let defaultSocket = "/run/usaged/usaged.sock"
    public static let defaultTimeout = Duration.seconds(30)
    /// Longer answers are refused.
    public static let answerLimit = 256 << 20

    public let socket: String
    public let timeout: Duration

    public init(socket: String = defaultSocket, timeout: Duration = defaultTimeout) {
        self.socket = socket
        self.timeout = timeout
    }

    public func status() throws(ClientError) -> Status { try get(.status) }
    public func images() throws(ClientError) -> ImageList { try get(.images) }
    public func image(_ reference: String) throws(ClientError) -> ImageDetail { try get(.image(reference)) }
    public func tree() throws(ClientError) -> Tree { try get(.tree) }
    public func layers() throws(ClientError) -> LayerList { try get(.layers) }
    public func containers() throws(ClientError) -> ContainerList { try get(.containers) }
    public func alerts() throws(ClientError) -> AlertList { try get(.alerts) }
    public func health() throws(ClientError) -> Health { try get(.health) }
    public func since(_ mark: String) throws(ClientError) -> Since { try get(.since(mark)) }
    public func setMark(_ name: String) throws(ClientError) -> MarkSet { try get(.setMark(name)) }

    public func container(_ reference: String) throws(ClientError) -> ContainerDetail {
        try get(.container(reference))
    }

    /// Asks, and decodes the answer.
    public func get<Answer: Decodable>(_ route: Route) throws(ClientError) -> Answer {
        try decode(body(route))
    }

    func decode<Answer: Decodable>(_ body: Data) throws(ClientError) -> Answer {
        do {
            return try WireCoding.decode(Answer.self, from: body)
        } catch {
            throw ClientError.badAnswer(socket, Self.describe(error))
        }
    }

    /// Asks, and returns the answer's JSON as it came; a problem is thrown.
    public func body(_ route: Route) throws(ClientError) -> Data {
        let connection = try UnixSocket(path: socket, timeout: timeout)
        try connection.send(Self.request(route, accept: "application/json"))
        var parser = ResponseParser(bodyLimit: Self.answerLimit)
        var body: [UInt8] = []
        let deadline = ContinuousClock.now + timeout
        while !parser.isComplete {
            try receive(into: &parser, from: connection, until: deadline)
            body += parser.takeBody()
        }
        guard let head = parser.head else { throw ClientError.badAnswer(socket, "an answer without a head") }
        guard head.status == 200 || head.status == 201 else { throw failure(head, body) }
        return Data(body)
    }

    /// Reads once into the parser, waiting until the deadline.
    func receive(
        into parser: inout ResponseParser, from connection: UnixSocket,
        until deadline: ContinuousClock.Instant
    ) throws(ClientError) {
        guard UnixSocket.wait(for: [connection.descriptor], until: deadline) == [true],
            ContinuousClock.now < deadline
        else { throw ClientError.timedOut(socket, after: timeout) }
        do {
            switch try connection.receive() {
            case .bytes(let bytes): try parser.receive(bytes)
            case .end: try parser.end()
            case .nothingYet: break
            }
        } catch let failure as ResponseParser.Failure {
            throw clientError(failure)
        } catch let failure as ClientError {
            throw failure
        } catch {
            throw ClientError.disconnected(socket)
        }
    }

    func clientError(_ failure: ResponseParser.Failure) -> ClientError {
        switch failure {
        case .malformed(let what): .badAnswer(socket, what)
        case .truncated: .disconnected(socket)
        case .tooLarge(let limit):
            ClientError(
                .tooLarge,
                "the answer on \(TerminalText.name(socket)) is longer than \(limit) bytes; not read")
        }
    }

    /// The problem in an answer that is no success.
    func failure(_ head: ResponseParser.Head, _ body: [UInt8]) -> ClientError {
        if head.mediaType == "application/problem+json",
            let problem = try? WireCoding.decode(Problem.self, from: Data(body))
        {
            return .problem(problem, on: socket)
        }
        if head.status == 403 {
            return .problem(Problem(.forbidden, detail: "the daemon does not permit this to you"), on: socket)
        }
        if head.status == 404 {
            return .problem(
                Problem(.notFound, detail: "the daemon does not know this; is it an older version?"),
                on: socket)
        }
        return .badAnswer(socket, "status \(head.status)")
    }

    static func request(_ route: Route, accept: String, fields: [(String, String)] = []) -> [UInt8] {
        var lines = [
            "\(route.method) \(route.path) HTTP/1.1", "Host: usaged", "User-Agent: usage-client",
            "Accept: \(accept)", "Connection: close",
        ]
        if route.method != "GET" { lines.append("Content-Length: 0") }
        lines += fields.map { "\($0): \($1)" }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private static func describe(_ error: any Error) -> String {
        func path(_ context: DecodingError.Context) -> String {
            TerminalText.name(context.codingPath.map(\.stringValue).joined(separator: "."))
        }
        return switch error {
        case DecodingError.keyNotFound(let key, _):
            "the field \(TerminalText.name(key.stringValue)) is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "the field \(path(context)) is of another type"
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            "the field \(path(context)) has an unknown value"
        default: "the answer is not JSON"
        }
    }
}
