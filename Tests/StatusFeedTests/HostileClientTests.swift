import Foundation
import Glibc
import Logging
import Synchronization
import Testing
import UsageTestKit
import Wire

@testable import StatusFeed

@Suite struct HostileClientTests {
    private func exchange(
        _ server: TestServer, _ body: @escaping @Sendable (RawClient) throws -> RawResponse
    ) async throws -> RawResponse {
        try await onThread { [path = server.path] in
            let client = try RawClient(path)
            let response = try body(client)
            #expect(try client.rest().isEmpty, "the connection is closed after the answer")
            return response
        }
    }

    @Test("a header or a target over the limit is 431, and the connection is closed")
    func oversizedHeader() async throws {
        try await TestServer.run { server in
            let long = String(repeating: "x", count: 17 * 1024)
            for request in [
                "GET /healthz HTTP/1.1\r\nX: \(long)\r\n\r\n", "GET /\(long) HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\n" + String(repeating: "a: b\r\n", count: 200) + "\r\n",
            ] {
                let response = try await exchange(server) { client in
                    try client.send(request)
                    return try client.response()
                }
                #expect(response.status == 431)
                #expect(try response.decode(Problem.self).type == .tooLarge)
            }
            let inside = String(repeating: "x", count: 15 * 1024)
            #expect(try await server.request("/healthz", fields: "X: \(inside)\r\n").status == 200)
        }
    }

    @Test(
        "a body over the limit is 413, announced or not",
        arguments: [
            "Content-Length: 4097\r\n\r\n", "Content-Length: 9223372036854775807\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n1001\r\n" + String(repeating: "b", count: 4097),
        ])
    func oversizedBody(rest: String) async throws {
        try await TestServer.run { server in
            let response = try await exchange(server) { client in
                try client.send("POST /v1/marks/x HTTP/1.1\r\n" + rest)
                return try client.response()
            }
            #expect(response.status == 413)
            #expect(server.provider.marks.withLock { $0.isEmpty })
        }
    }

    @Test(
        "bytes that are no request are 400",
        arguments: [
            "\u{0}\u{1}\u{2}garbage\r\n\r\n", "GET /healthz HTTP/9.9\r\n\r\n",
            "GET / HTTP/1.1\r\n: x\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ])
    func garbage(request: String) async throws {
        try await TestServer.run { server in
            let response = try await exchange(server) { client in
                try client.send(request)
                return try client.response()
            }
            #expect(response.status == 400)
            #expect(response.headers["content-type"] == "application/problem+json")
            #expect(try await server.request("/healthz").status == 200)
        }
    }

    @Test("random bytes and cut requests never stop the server")
    func randomBytes() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let whole = Array(
            "POST /v1/marks/m HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /v1/tree HTTP/1.1\r\n\r\n"
                .utf8)
        let inputs = (0..<200).map { _ -> [UInt8] in
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            return Array(bytes.prefix(Int.random(in: 1...bytes.count, using: &random)))
        }
        try await TestServer.run { server in
            try await onThread { [path = server.path] in
                for input in inputs {
                    let client = try RawClient(path)
                    try client.send(input)
                    client.endInput()
                    _ = try client.rest()
                }
            }
            #expect(try await server.request("/healthz").status == 200, "seed \(seed)")
        }
    }

    @Test("half a request gets 408, silence is closed, which the log tells who debugs")
    func slowRequest() async throws {
        var limits = StatusServer.Limits.ample
        limits.requestTimeout = .milliseconds(200)
        limits.keepAliveTimeout = .milliseconds(200)
        try await TestServer.run(limits: limits) { server in
            let response = try await exchange(server) { client in
                try client.send("GET /healthz HTTP/1.1\r\nHo")
                return try client.response()
            }
            #expect(response.status == 408)
            let silence = try await onThread { [path = server.path] in try RawClient(path).rest() }
            #expect(silence.isEmpty)
            let told = server.log.lines.filter { $0.message.hasSuffix("is closed: no request came") }
            #expect(told.map(\.level) == [.debug])
            #expect(told.first?.metadata["uid"] == "\(geteuid())")
            let kept = try await exchange(server) { client in
                try client.get("/healthz")
                return try client.response()
            }
            #expect(kept.status == 200)
        }
    }

    @Test("a second request on the connection has its own time to arrive")
    func slowSecondRequest() async throws {
        var limits = StatusServer.Limits.ample
        limits.requestTimeout = .milliseconds(300)
        try await TestServer.run(limits: limits) { server in
            let response = try await exchange(server) { client in
                try client.get("/healthz")
                _ = try client.response()
                try client.send("GET /healthz HTTP/1.1\r\nHo")
                return try client.response()
            }
            #expect(response.status == 408)
        }
    }

    @Test("a client that closes its sending side still gets its answer")
    func halfClosed() async throws {
        try await TestServer.run { server in
            let response = try await exchange(server) { client in
                try client.get("/v1/images")
                client.endInput()
                return try client.response()
            }
            #expect(response.status == 200)
        }
    }

    @Test("requests sent ahead are answered in their order")
    func pipelining() async throws {
        try await TestServer.run { server in
            let answers = try await onThread { [path = server.path] in
                let client = try RawClient(path)
                let targets = (0..<60).map { $0 % 3 == 0 ? "/nowhere/\($0)" : "/v1/since/m\($0)" }
                try client.send(targets.map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
                return try targets.map { ($0, try client.response()) }
            }
            for (target, answer) in answers {
                #expect(answer.text.contains(target.split(separator: "/").last ?? ""), "\(target)")
            }
        }
    }

    @Test("a client that sends too far ahead is closed after what was kept is answered")
    func tooFarAhead() async throws {
        var limits = StatusServer.Limits.ample
        limits.pipelinedRequests = 5
        try await TestServer.run(limits: limits) { server in
            let bytes = try await onThread { [path = server.path] in
                let client = try RawClient(path)
                try client.send(String(repeating: "GET /v1/tree HTTP/1.1\r\n\r\n", count: 100))
                return try client.rest()
            }
            let count =
                String(decoding: bytes, as: UTF8.self).components(separatedBy: "HTTP/1.1 200").count - 1
            #expect(count == 6)
        }
    }

    @Test("Connection: close is honoured, and HTTP/1.0 closes")
    func closing() async throws {
        try await TestServer.run { server in
            let response = try await exchange(server) { client in
                try client.get("/healthz", "Connection: close\r\n")
                return try client.response()
            }
            #expect(response.headers["connection"] == "close")
            let old = try await exchange(server) { client in
                try client.send("GET /healthz HTTP/1.0\r\n\r\n")
                return try client.response()
            }
            #expect(old.status == 200)
        }
    }

    private func eightConnections(queuePatience: Duration) -> StatusServer.Limits {
        var limits = StatusServer.Limits.ample
        limits.connections = 8
        limits.privilegedReserve = 2
        limits.queuePatience = queuePatience
        return limits
    }

    @Test("a connection too many gets 503 where none ends for long, and there is room again when one closes")
    func tooManyConnections() async throws {
        let limits = eightConnections(queuePatience: .milliseconds(100))
        try await TestServer.run(limits: limits) { server in
            let clients = try await onThread { [path = server.path] in
                try (0..<8).map { _ in
                    let client = try RawClient(path)
                    try client.get("/healthz")
                    #expect(try client.response().status == 200)
                    return client
                }
            }
            let refused = try await exchange(server) { try $0.response() }
            #expect(refused.status == 503)
            #expect(try refused.decode(Problem.self).type == .unavailable)
            #expect(try await server.request("/healthz").status == 503)
            withExtendedLifetime(clients) {}
        }
        try await TestServer.run(limits: limits) { server in
            for _ in 0..<100 {
                // The server sees a close only when it comes to it.
                var isServed = false
                for _ in 0..<200 where !isServed {
                    isServed = try await server.request("/healthz").status == 200
                    if !isServed { try await Task.sleep(for: .milliseconds(5)) }
                }
                #expect(isServed)
            }
        }
    }

    @Test("a thousand clients at once are all answered, though eight may connect")
    func queueOfConnections() async throws {
        // Nobody is to be told that there are too many.
        let limits = eightConnections(queuePatience: .seconds(600))
        try await TestServer.run(limits: limits) { server in
            try await onThread { [path = server.path] in
                var clients: [RawClient?] = try (0..<1000).map { _ in
                    let client = try RawClient(path)
                    try client.get("/v1/status", "Connection: close\r\n")
                    return client
                }
                for index in clients.indices {
                    let status = try clients[index]?.response().status
                    #expect(status == 200)
                    // It makes room for the next.
                    clients[index] = nil
                }
            }
        }
    }

    @Test("a request that waits for its turn longer than it may take to arrive is answered")
    func longTurn() async throws {
        var limits = StatusServer.Limits.ample
        limits.requestsPerSecond = 1
        limits.requestBurst = 1
        limits.requestTimeout = .seconds(2)
        // Who is at a port is not known, so it is nobody who need not wait.
        let port = try LoopbackPort()
        try await TestServer.serve(.descriptor(port.descriptor), limits: limits, access: .loopback) {
            try await onThread { [number = port.port] in
                let clients = try (0..<5).map { _ in
                    let client = try RawClient(port: number)
                    try client.get("/healthz")
                    return client
                }
                for client in clients { #expect(try client.response().status == 200) }
            }
        }
    }

    @Test("a client that does not read its answer is closed")
    func unreadAnswer() async throws {
        var limits = StatusServer.Limits.ample
        limits.writeTimeout = .milliseconds(200)
        try await TestServer.run(provider: TestProvider(containers: 20_000), limits: limits) { server in
            let client = try RawClient(server.path)
            try client.get("/v1/status")
            let length = try await onThread {
                try client.head().headers["content-length"].flatMap { Int($0) }
            }
            try await eventually("closed by the server") { client.isHungUp }
            let received = try await onThread { try client.rest().count }
            #expect(received < length ?? 0)
        }
    }

    @Test("a reader of the feed that stands still for too long is closed")
    func stalledReader() async throws {
        var limits = StatusServer.Limits.ample
        limits.feedStallTimeout = .milliseconds(200)
        try await TestServer.run(limits: limits) { server in
            let stalled = try RawClient(server.path)
            try stalled.get("/v1/feed")
            try await eventually("it is there") { server.hub.readerCount == 1 }
            for number in 0..<1000 { server.hub.publish(.numbered(number, padding: 2000)) }
            try await eventually("it is no reader any more") { server.hub.readerCount == 0 }
            try await eventually("it is closed") { stalled.isHungUp }
        }
    }

    @Test("an answer that does not come in time is 503")
    func noAnswer() async throws {
        var limits = StatusServer.Limits.ample
        limits.answerTimeout = .milliseconds(100)
        let provider = TestProvider { try? await Task.sleep(for: .seconds(60)) }
        try await TestServer.run(provider: provider, limits: limits) { server in
            let response = try await exchange(server) { client in
                try client.get("/v1/status")
                return try client.response()
            }
            #expect(response.status == 503)
        }
    }

    @Test("questions to the daemon are bounded, and all are answered in the end")
    func boundedQuestions() async throws {
        let asked = Mutex((now: 0, most: 0))
        let provider = TestProvider {
            asked.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            for _ in 0..<20 { await Task.yield() }
            asked.withLock { $0.now -= 1 }
        }
        var limits = StatusServer.Limits.ample
        limits.concurrentRequests = 3
        limits.privilegedRequests = 1
        try await TestServer.run(provider: provider, limits: limits) { server in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 { group.addTask { try await server.request("/v1/status").status } }
                for try await status in group { #expect(status == 200) }
            }
            #expect((1...3).contains(asked.withLock { $0.most }))
        }
    }

    @Test("another user may read and not change", .enabled(if: OtherUser.isRunnable))
    func otherUser() async throws {
        try await TestServer.run { server in
            #expect(chmod(server.path, 0o666) == 0)
            let read = try await OtherUser.curl(server.path, ["http://localhost/v1/containers"])
            #expect(read.hasSuffix("200"))
            let write = try await OtherUser.curl(server.path, ["-X", "POST", "http://localhost/v1/marks/m"])
            #expect(write.hasSuffix("403"))
            #expect(write.contains("urn:usaged:forbidden"))
            #expect(write.contains("uid 65534"))
            #expect(server.provider.marks.withLock { $0.isEmpty })
        }
    }
}

/// Runs curl as the user nobody.
enum OtherUser {
    static var isRunnable: Bool {
        geteuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0 && access("/usr/bin/curl", X_OK) == 0
    }

    /// The body, and the status code after it.
    static func curl(_ socket: String, _ arguments: [String]) async throws -> String {
        try await Command.run(
            [
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "curl", "-sS", "--max-time",
                "20",
                "--unix-socket", socket, "-w", "%{http_code}",
            ] + arguments
        ).out
    }
}
