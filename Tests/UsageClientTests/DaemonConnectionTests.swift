import Foundation
import Testing
import UsageTestKit
import Wire

@testable import UsageClient

struct DaemonConnectionTests {
    private func code(_ body: () throws -> Void) -> ClientError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? ClientError)?.code
        }
    }

    private static let statusJSON = String(
        decoding: (try? WireCoding.encode(Samples.status)) ?? Data(), as: UTF8.self)

    @Test("an answer of known length, asked for by one GET")
    func fixedLength() throws {
        let server = try ScriptedServer { request, peer in
            guard request.head.hasPrefix("GET /v1/status HTTP/1.1\r\nHost: ") else { return }
            peer.answer(Self.statusJSON)
        }
        #expect(try DaemonConnection(socket: server.path).status() == Samples.status)
    }

    @Test("a chunked answer that comes byte by byte")
    func chunked() throws {
        let server = try ScriptedServer { _, peer in
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for byte in Self.statusJSON.utf8 { peer.send("1\r\n" + String(UnicodeScalar(byte)) + "\r\n") }
            peer.send("0\r\n\r\n")
        }
        #expect(try DaemonConnection(socket: server.path).status() == Samples.status)
    }

    @Test("a connection that fails closes no descriptor of others")
    func failedConnection() async throws {
        let closed = try await foreignDescriptorsClosed(while: 20_000) {
            _ = try? UnixSocket(path: "/nonexistent", timeout: .seconds(1))
        }
        #expect(closed == 0)
    }

    @Test("a reference is one percent-encoded segment of the path")
    func encodes() throws {
        let server = try ScriptedServer { request, peer in
            peer.answer(
                request.line == "GET /v1/images/a%2Fb%3A1%0D%0AX%3A%20%C3%A4 HTTP/1.1"
                    ? String(decoding: (try? WireCoding.encode(Samples.detail)) ?? Data(), as: UTF8.self)
                    : "{}")
        }
        #expect(try DaemonConnection(socket: server.path).image("a/b:1\r\nX: ä") == Samples.detail)
        #expect(Route.image("..").path == "/v1/images/%2E%2E")
    }

    @Test("a mark is set by POST")
    func marks() throws {
        let server = try ScriptedServer { request, peer in
            let isPost =
                request.line == "POST /v1/marks/before HTTP/1.1" && request.head.contains("Content-Length: 0")
            peer.answer(isPost ? #"{"schema":1,"mark":"before","time":"x","exact":true}"# : "{}")
        }
        #expect(try DaemonConnection(socket: server.path).setMark("before").mark == "before")
    }

    @Test("no socket, and one that nobody listens on")
    func noDaemon() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/s"
        #expect(code { _ = try DaemonConnection(socket: path).status() } == .noSocket)
        close(try listen(at: path))
        #expect(code { _ = try DaemonConnection(socket: path).status() } == .refused)
        let long = "/" + String(repeating: "x", count: 200)
        #expect(code { _ = try DaemonConnection(socket: long).status() } == .local)
        #expect(code { _ = try DaemonConnection(socket: "").status() } == .local)
    }

    @Test("a listener that does not accept, and one that accepts and says nothing, time out")
    func timesOut() throws {
        let directory = try TemporaryDirectory()
        let listener = try listen(at: directory.path + "/s", backlog: 0)
        defer { close(listener) }
        let full = DaemonConnection(socket: directory.path + "/s", timeout: .milliseconds(50))
        for _ in 0..<3 { #expect(code { _ = try full.status() } == .timedOut) }
        let dripping = try ScriptedServer { _, peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
            peer.waitForClose()
        }
        let slow = DaemonConnection(socket: dripping.path, timeout: .milliseconds(50))
        #expect(code { _ = try slow.status() } == .timedOut)
    }

    @Test(
        "what is not the daemon is said to be not the daemon",
        arguments: [
            "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        ])
    func garbage(answer: String) throws {
        let server = try ScriptedServer { _, peer in peer.send(answer) }
        #expect(code { _ = try DaemonConnection(socket: server.path).status() } == .badAnswer)
    }

    @Test("an answer that ends too early, and one that is too long")
    func cutAndTooLarge() throws {
        let cut = try ScriptedServer { _, peer in peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
        }
        #expect(code { _ = try DaemonConnection(socket: cut.path).status() } == .disconnected)
        let large = try ScriptedServer { _, peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(DaemonConnection.answerLimit + 1)\r\n\r\n")
            peer.waitForClose()
        }
        #expect(code { _ = try DaemonConnection(socket: large.path).status() } == .tooLarge)
    }

    @Test("a problem keeps its kind, detail and candidates")
    func problems() throws {
        let server = try ScriptedServer { _, peer in
            peer.answer(
                #"{"type":"urn:usaged:ambiguous","title":"Ambiguous","status":409,"detail":"two","candidates":["a","b"]}"#,
                status: "409 Conflict", type: "application/problem+json; charset=utf-8")
        }
        #expect(throws: ClientError(.problem(.ambiguous), "two", candidates: ["a", "b"])) {
            try DaemonConnection(socket: server.path).image("x")
        }
    }
}

struct InspectionTests {
    private func json(_ value: some Encodable) throws -> String {
        String(decoding: try WireCoding.encode(value), as: UTF8.self)
    }

    @Test("an image or a container, whichever there is")
    func either() throws {
        let server = try ScriptedServer(
            handler: routes([
                "GET /v1/images/zig": try json(Samples.detail),
                "GET /v1/containers/we": try json(Samples.containerDetail),
            ]))
        let daemon = DaemonConnection(socket: server.path)
        guard case .image = try Inspection.find("zig", of: daemon),
            case .container = try Inspection.find("we", of: daemon)
        else {
            Issue.record("took one for the other")
            return
        }
        #expect(
            throws: ClientError(
                .problem(.notFound), "no image or container has a name or id that begins with x")
        ) {
            try Inspection.find("x", of: daemon)
        }
    }

    @Test("a whole name wins over a prefix, two prefixes are ambiguous")
    func both() throws {
        var container = Samples.containerDetail
        container.container.name = "zigiweb"
        var image = Samples.detail
        image.image.names = ["zigiweb-extra:latest"]
        let answers = [try json(image), try json(container)]
        let server = try ScriptedServer(
            handler: routes([
                "GET /v1/images/zigiweb": answers[0], "GET /v1/containers/zigiweb": answers[1],
                "GET /v1/images/zig": answers[0], "GET /v1/containers/zig": answers[1],
            ]))
        let daemon = DaemonConnection(socket: server.path)
        guard case .container = try Inspection.find("zigiweb", of: daemon) else {
            Issue.record("took the prefix")
            return
        }
        #expect(
            throws: ClientError(
                .problem(.ambiguous),
                "zig is ambiguous; say which with --type image or --type container; it could be:",
                candidates: ["image zigiweb-extra:latest 5242a1b2c3d4", "container zigiweb 0d106c9f7b67"])
        ) {
            try Inspection.find("zig", of: daemon)
        }
        guard case .image = try Inspection.find("zig", among: .image, of: daemon) else {
            Issue.record("took a container for an image")
            return
        }
    }
}
