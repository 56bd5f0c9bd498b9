import Foundation
import Glibc
import UsageTestKit

/// A Unix socket on which a test says what comes back for each request.
final class ScriptedServer: Sendable {
    struct Request: Sendable {
        var head: String
        /// Method and path.
        var line: String { head.components(separatedBy: "\r\n")[0] }
    }

    /// The client's connection, on a thread of its own.
    struct Peer: Sendable {
        let descriptor: Int32

        func send(_ text: String) {
            send(Array(text.utf8))
        }

        func send(_ bytes: [UInt8]) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }

        /// Waits until the client closes.
        func waitForClose() {
            var byte: UInt8 = 0
            while recv(descriptor, &byte, 1, 0) > 0 {}
        }

        func answer(_ json: String, status: String = "200 OK", type: String = "application/json") {
            send(
                "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(json.utf8.count)\r\n\r\n\(json)"
            )
        }
    }

    let path: String
    private let directory: TemporaryDirectory
    private let acceptor: Acceptor

    init(handler: @escaping @Sendable (Request, Peer) -> Void) throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/s"
        acceptor = Acceptor(try listen(at: path))
        acceptor.start { descriptor in
            guard let head = readHead(descriptor) else { return }
            handler(Request(head: head), Peer(descriptor: descriptor))
        }
    }

    deinit {
        acceptor.end()
    }
}

/// Answers by method and path; everything else is not found.
func routes(_ answers: [String: String]) -> @Sendable (ScriptedServer.Request, ScriptedServer.Peer) -> Void {
    { request, peer in
        let line = request.line.replacingOccurrences(of: " HTTP/1.1", with: "")
        guard let answer = answers[line] else {
            return peer.answer(
                #"{"type":"urn:usaged:not-found","title":"Not found","status":404,"detail":"no such thing"}"#,
                status: "404 Not Found", type: "application/problem+json")
        }
        peer.answer(answer)
    }
}

/// A request up to its empty line; nil where the client ended before it.
func readHead(_ descriptor: Int32) -> String? {
    var head: [UInt8] = []
    var byte: UInt8 = 0
    while !head.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
        guard recv(descriptor, &byte, 1, 0) == 1 else { return nil }
        head.append(byte)
    }
    return String(decoding: head, as: UTF8.self)
}

/// A directory that is gone with its owner.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/usage-client.XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw POSIXError(.EIO) }
        path = String(cString: made)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
