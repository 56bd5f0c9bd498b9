/// Reads one HTTP/1.1 response (RFC 9112) from pieces of any size.
///
/// Every part is bounded: the other side need not be the daemon.
struct ResponseParser {
    struct Head: Hashable, Sendable {
        var status: Int
        /// Names in lower case.
        var fields: [String: String]

        var mediaType: String {
            (fields["content-type"] ?? "").split(separator: ";").first.map {
                $0.lowercased().filter { $0 != " " }
            } ?? ""
        }
    }

    enum Failure: Error, Hashable, Sendable {
        case malformed(String)
        case tooLarge(limit: Int)
        /// The connection ended inside the response.
        case truncated
    }

    private enum State {
        case head, fixedBody(remaining: Int), untilClose
        case chunkSize, chunkBody(remaining: Int), chunkEnd, trailers
        case complete
    }

    static let headLimit = 64 << 10
    private static let chunkLineLimit = 1 << 10

    /// How much body in total is taken; nil for a stream, whose reader takes it away in time.
    private let bodyLimit: Int?
    private var state = State.head
    /// The head, or a line of the chunked framing, as far as it has come.
    private var line: [UInt8] = []
    private var bodyLength = 0
    private var trailerLength = 0

    private(set) var head: Head?
    /// The body that has come and was not taken yet.
    private var body: [UInt8] = []

    init(bodyLimit: Int?) {
        self.bodyLimit = bodyLimit
    }

    var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    mutating func takeBody() -> [UInt8] {
        defer { body = [] }
        return body
    }

    mutating func receive(_ bytes: some Collection<UInt8>) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .head:
                guard let text = try takeHead(&rest) else { return }
                try begin(text)
            case .fixedBody(let remaining):
                let part = rest.prefix(remaining)
                try append(part)
                rest = rest.dropFirst(part.count)
                state = part.count == remaining ? .complete : .fixedBody(remaining: remaining - part.count)
            case .untilClose:
                try append(rest)
                return
            case .chunkSize:
                guard let text = try takeLine(&rest, limit: Self.chunkLineLimit) else { return }
                let size = try Self.chunkSize(text)
                state = size == 0 ? .trailers : .chunkBody(remaining: size)
            case .chunkBody(let remaining):
                let part = rest.prefix(remaining)
                try append(part)
                rest = rest.dropFirst(part.count)
                state = part.count == remaining ? .chunkEnd : .chunkBody(remaining: remaining - part.count)
            case .chunkEnd:
                guard let text = try takeLine(&rest, limit: Self.chunkLineLimit) else { return }
                guard text.isEmpty else { throw .malformed("a chunk is longer than it says") }
                state = .chunkSize
            case .trailers:
                guard let text = try takeLine(&rest, limit: Self.headLimit) else { return }
                trailerLength += text.utf8.count
                guard trailerLength <= Self.headLimit else { throw .tooLarge(limit: Self.headLimit) }
                if text.isEmpty { state = .complete }
            case .complete:
                return
            }
        }
    }

    /// Tells that the connection has ended.
    mutating func end() throws(Failure) {
        switch state {
        case .complete: return
        case .untilClose: state = .complete
        default: throw .truncated
        }
    }

    private mutating func append(_ part: some Collection<UInt8>) throws(Failure) {
        bodyLength += part.count
        if let bodyLimit, bodyLength > bodyLimit { throw .tooLarge(limit: bodyLimit) }
        body.append(contentsOf: part)
    }

    /// Takes bytes up to a line feed; nil while it has not come.
    private mutating func takeLine<Bytes: Collection<UInt8>>(
        _ rest: inout Bytes, limit: Int
    ) throws(Failure) -> String? where Bytes.SubSequence == Bytes {
        let part = rest.prefix { $0 != UInt8(ascii: "\n") }
        guard line.count + part.count <= limit else { throw .tooLarge(limit: limit) }
        line.append(contentsOf: part)
        rest = rest.dropFirst(part.count)
        guard !rest.isEmpty else { return nil }
        rest = rest.dropFirst()
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer { line = [] }
        return String(decoding: line, as: UTF8.self)
    }

    /// Takes bytes up to the empty line; nil while it has not come.
    private mutating func takeHead<Bytes: Collection<UInt8>>(
        _ rest: inout Bytes
    ) throws(Failure) -> String? where Bytes.SubSequence == Bytes {
        while let byte = rest.first {
            rest = rest.dropFirst()
            guard line.count < Self.headLimit else { throw .tooLarge(limit: Self.headLimit) }
            if byte != UInt8(ascii: "\r") { line.append(byte) }
            if byte == UInt8(ascii: "\n"), line.suffix(2) == [byte, byte] {
                defer { line = [] }
                return String(decoding: line, as: UTF8.self)
            }
            if line.count == 5, line != Array("HTTP/".utf8) { throw .malformed("no HTTP status line") }
        }
        return nil
    }

    private mutating func begin(_ text: String) throws(Failure) {
        var lines = text.split(separator: "\n")[...]
        let words = lines.popFirst()?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3,
            let status = Int(words[1]), (100...599).contains(status)
        else { throw .malformed("no HTTP status line") }
        var fields: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
                throw .malformed("a header line without a name")
            }
            let name = line[..<colon].lowercased()
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            if name == "content-length", let before = fields[name], before != value {
                throw .malformed("two different lengths")
            }
            fields[name] = String(value).trimmingTrailingSpaces()
        }
        guard status >= 200 else { return }
        head = Head(status: status, fields: fields)
        try chooseFraming(status: status, fields: fields)
    }

    private mutating func chooseFraming(status: Int, fields: [String: String]) throws(Failure) {
        if status == 204 || status == 304 {
            state = .complete
        } else if let coding = fields["transfer-encoding"] {
            guard coding.lowercased() == "chunked", fields["content-length"] == nil else {
                throw .malformed("an unknown transfer coding")
            }
            state = .chunkSize
        } else if let text = fields["content-length"] {
            guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw .malformed("a length that is no number")
            }
            let limit = bodyLimit ?? .max
            guard let length = Int(text), length <= limit else { throw .tooLarge(limit: limit) }
            state = length == 0 ? .complete : .fixedBody(remaining: length)
        } else {
            state = .untilClose
        }
    }

    private static func chunkSize(_ line: String) throws(Failure) -> Int {
        let digits = line.prefix { $0 != ";" && $0 != " " }
        guard (1...15).contains(digits.utf8.count), digits.allSatisfy(\.isHexDigit),
            let size = Int(digits, radix: 16)
        else { throw .malformed("a chunk without a size") }
        return size
    }
}
