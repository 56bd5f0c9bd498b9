import Testing
import UsageTestKit

@testable import UsageClient

struct ResponseParserTests {
    private static let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n"

    private func parse(_ text: String, pieces: Int = .max, limit: Int? = 1 << 20, end: Bool = true) throws
        -> (status: Int?, body: String)
    {
        var parser = ResponseParser(bodyLimit: limit)
        var body: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            try parser.receive(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            body += parser.takeBody()
        }
        if end { try parser.end() }
        return (parser.head?.status, String(decoding: body, as: UTF8.self))
    }

    @Test("a body of known length", arguments: [1, 2, 7, 1000])
    func length(pieces: Int) throws {
        let answer = try parse(
            "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\ncontent-type: text/plain\r\n\r\nhello",
            pieces: pieces)
        #expect(answer == (404, "hello"))
    }

    @Test("a chunked body with extensions and trailers", arguments: [1, 2, 7, 1000])
    func chunks(pieces: Int) throws {
        #expect(try parse(Self.chunked, pieces: pieces) == (200, "hello world"))
    }

    @Test("a body that ends with the connection")
    func untilClose() throws {
        #expect(try parse("HTTP/1.0 200 OK\n\nhello") == (200, "hello"))
    }

    @Test("an interim answer is passed over")
    func interim() throws {
        #expect(
            try parse("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", pieces: 1) == (204, ""))
    }

    @Test(
        "what is no HTTP is refused",
        arguments: [
            "garbage\n\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        ])
    func malformed(text: String) {
        #expect {
            try parse(text)
        } throws: {
            if case ResponseParser.Failure.malformed = $0 { true } else { false }
        }
    }

    @Test(
        "what is longer than its bound is refused",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"
                + String(repeating: "x", count: 101),
            "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 101),
            "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 70_000),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + String(repeating: "x", count: 2000),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                + String(repeating: "x: y\r\n", count: 20_000),
        ])
    func tooLarge(text: String) {
        #expect {
            try parse(text, limit: 100, end: false)
        } throws: {
            if case ResponseParser.Failure.tooLarge = $0 { true } else { false }
        }
    }

    @Test("every answer that is cut short is told from a whole one")
    func truncated() {
        for text in ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Self.chunked] {
            for length in 0..<text.utf8.count {
                #expect(throws: ResponseParser.Failure.truncated, "\(length) bytes of \(text)") {
                    try parse(String(decoding: text.utf8.prefix(length), as: UTF8.self))
                }
            }
        }
    }

    @Test("random bytes never trap, and no split changes the outcome")
    func random() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("HTTP/1.1 200\r\n\r\n:;0159afContent-Length:Transfer-Encoding: chunked".utf8)
        for _ in 0..<3000 {
            var bytes = Bool.random(using: &generator) ? Array(Self.chunked.utf8) : []
            for _ in 0..<Int.random(in: 1..<20, using: &generator) {
                let byte = alphabet.randomElement(using: &generator) ?? 0
                bytes.insert(byte, at: Int.random(in: 0...bytes.count, using: &generator))
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let whole = Result { try parse(text) }.outcome
            let split = Result { try parse(text, pieces: Int.random(in: 1..<5, using: &generator)) }.outcome
            #expect(whole == split, "seed \(seed): \(text)")
        }
    }
}

extension Result where Success == (status: Int?, body: String), Failure == any Error {
    fileprivate var outcome: String {
        switch self {
        case .success(let answer): "\(answer)"
        case .failure(let error): "\(error)"
        }
    }
}

struct LineSplitterTests {
    @Test("lines come whole from pieces of any size")
    func splits() throws {
        var splitter = LineSplitter(limit: 10)
        var lines: [String] = []
        for byte in "one\r\n\ntwo\nthree".utf8 {
            try splitter.receive([byte])
            while let line = splitter.nextLine() { lines.append(String(decoding: line, as: UTF8.self)) }
        }
        #expect(lines == ["one", "two"])
    }

    @Test("a line past the limit is refused before it is whole")
    func bounded() throws {
        var splitter = LineSplitter(limit: 10)
        try splitter.receive(Array("0123456789\n".utf8))
        #expect(throws: LineSplitter.TooLong(limit: 10)) { try splitter.receive(Array("0123456789a".utf8)) }
    }
}
