import Glibc
import Logging
import Testing
import UsageTestKit
import Wire

@testable import StatusFeed

@Suite("What the TCP socket answers")
struct WebAccessTests {
    /// Sends a head as it is to a server on a port, and gives back its answer.
    private func answer(to head: String, withBody: Bool = true) async throws -> RawResponse {
        let port = try LoopbackPort()
        var response: RawResponse?
        try await TestServer.serve(.descriptor(port.descriptor), access: .loopback) {
            response = try await onThread { [number = port.port] in
                let client = try RawClient(port: number)
                try client.send(head + "\r\n")
                return try client.response(withBody: withBody)
            }
        }
        return try #require(response)
    }

    @Test(
        "GET with a name of this host is answered, and no page of another origin may read it",
        arguments: [
            "localhost", "localhost:9189", "LocalHost:80", "127.0.0.1", "127.0.0.1:9189", "[::1]:9189",
        ])
    func own(host: String) async throws {
        let head = "GET /v1/images HTTP/1.1\r\nHost: \(host)\r\nOrigin: http://elsewhere.example\r\n"
        let response = try await answer(to: head)
        #expect(response.status == 200)
        let expected = await TestProvider().images()
        #expect(try response.decode(ImageList.self) == expected)
        #expect(response.headers.keys.filter { $0.hasPrefix("access-control") } == [])
    }

    @Test(
        "a name that is not this host's is refused, and so is none",
        arguments: [
            "Host: elsewhere.example\r\n", "Host: elsewhere.example:9189\r\n", "Host: 192.0.2.1\r\n",
            "Host: localhost.elsewhere.example\r\n", "Host: localhost:\r\n", "Host: localhost:x\r\n",
            "Host: localhost@elsewhere.example\r\n", "Host: [::1]elsewhere.example\r\n", "Host: [::2]\r\n",
            "Host: localhost\r\nHost: elsewhere.example\r\n", "Host: 127.0.0.1.elsewhere.example\r\n",
            "Host:\r\n", "",
        ])
    func foreign(field: String) async throws {
        let response = try await answer(to: "GET /v1/status HTTP/1.1\r\n\(field)")
        #expect(response.status == 403)
        #expect(try response.decode(Problem.self).type == .forbidden)
    }

    @Test(
        "the host of an absolute target counts as well",
        arguments: [
            ("http://elsewhere.example/healthz", 403), ("http://elsewhere.example?/healthz", 403),
            ("http://localhost:9189/healthz", 200), ("http://[::1]/healthz", 200),
        ])
    func absoluteTarget(target: String, status: Int) async throws {
        let response = try await answer(to: "GET \(target) HTTP/1.1\r\nHost: localhost\r\n")
        #expect(response.status == status)
    }

    @Test(
        "every other method is refused before anything is done",
        arguments: [
            "POST /v1/marks/x", "POST /v1/reclaim?all-unused=1", "DELETE /v1/status", "OPTIONS /v1/status",
            "PUT /v1/status", "HEAD /v1/status",
        ])
    func methods(request: String) async throws {
        let response = try await answer(
            to: "\(request) HTTP/1.1\r\nHost: localhost\r\n", withBody: !request.hasPrefix("HEAD"))
        #expect(response.status == 405)
        #expect(response.headers["allow"] == "GET")
    }

    @Test("the feed can be read")
    func feed() async throws {
        let port = try LoopbackPort()
        try await TestServer.serve(.descriptor(port.descriptor), access: .loopback) {
            let head = try await onThread { [number = port.port] in
                let client = try RawClient(port: number)
                try client.send("GET /v1/feed HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return try client.head()
            }
            #expect(head.status == 200)
            #expect(head.headers["content-type"] == "application/x-ndjson")
        }
    }

    @Test(
        "an address to listen on is one of this host alone, with a port",
        arguments: [
            ("127.0.0.1:9189", "127.0.0.1:9189"), ("[::1]:9189", "[::1]:9189"), ("0.0.0.0:9189", nil),
            ("127.0.0.1", nil), ("127.0.0.1:", nil), ("127.0.0.1:65536", nil), ("::1:80", nil), (":80", nil),
            ("localhost:80", nil), ("192.0.2.1:80", nil),
        ] as [(String, String?)])
    func addresses(text: String, expected: String?) {
        #expect(LoopbackAddress(text)?.description == expected)
    }

    @Test("a port that is taken is said with what to do")
    func taken() throws {
        let port = try LoopbackPort()
        defer { close(port.descriptor) }
        let address = try #require(LoopbackAddress("127.0.0.1:\(port.port)"))
        #expect(throws: ListeningSocketError.self) {
            try BoundSocket.open(.loopback(address), group: nil, logger: Logger(label: "test"))
        }
    }
}
