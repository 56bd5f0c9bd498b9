import Glibc
import NIOCore
import NIOPosix
import Wire

@testable import StatusFeed
@testable import UsageClient

extension FuzzTarget {
    /// What a client sends to the daemon's socket.
    ///
    /// The first byte says into how many pieces it is cut, the second whether the client may change something.
    static let http = FuzzTarget(name: "http") { bytes in
        var input = FuzzInput(bytes)
        let pieces = 2 + input.byte() % 8
        let isPrivileged = input.byte() % 2 == 1
        // Fewer requests than a client may send ahead: how many more are answered depends on the pieces.
        let request = Array(input.rest.prefix(1024))
        let peer = Peer(userID: isPrivileged ? 0 : 1000, daemonUserID: 0)
        let whole = try Exchange.answer(to: [request], from: peer)
        let size = max(1, (request.count + pieces - 1) / pieces)
        let parts = stride(from: 0, to: request.count, by: size).map { Array(request[$0...].prefix(size)) }
        let answer = try Exchange.answer(to: parts, from: peer)
        try require(
            whole == answer,
            "a request in \(pieces) pieces has the answer that it has as one:\n\(text(whole))\n---\n\(text(answer))"
        )
        // A server passes over empty lines before a request.
        let line = request.drop { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        try check(whole, isHeadAlone: line.starts(with: Array("HEAD".utf8)))
    }

    private static func check(_ answer: [UInt8], isHeadAlone: Bool) throws {
        guard !answer.isEmpty else { return }
        try require(answer.starts(with: Array("HTTP/1.".utf8)), "the answer is HTTP/1: \(text(answer))")
        var parser = ResponseParser(bodyLimit: nil)
        do throws(ResponseParser.Failure) {
            try parser.receive(answer)
            // Nothing but `100 Continue` where the body did not come.
            guard parser.head != nil else { return }
            try parser.end()
        } catch {
            try require(
                isHeadAlone && error == .truncated, "the client reads the answer: \(error)\n\(text(answer))")
        }
        let status = parser.head?.status ?? 0
        try require([200, 201, 400, 403, 404, 405, 413, 431].contains(status), "status \(status)")
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
