import Synchronization
import Testing
import UsageTestKit
import Wire

@testable import StatusFeed

@Suite struct RoutesTests {
    @Test("every path of the contract answers with its own JSON, ending in a newline")
    func everyPath() async throws {
        try await TestServer.run { server in
            let provider = server.provider
            func expect<T: Codable & Equatable>(_ target: String, _ value: T) async throws {
                let response = try await server.request(target)
                #expect(response.status == 200, "\(target)")
                #expect(response.headers["content-type"] == "application/json")
                #expect(response.body.last == UInt8(ascii: "\n"))
                #expect(try response.decode(T.self) == value, "\(target)")
            }
            try await expect("/v1/status", await provider.status(top: nil))
            try await expect("/v1/images", await provider.images())
            try await expect("/v1/tree", await provider.tree())
            try await expect("/v1/layers", await provider.layers())
            try await expect("/v1/containers", await provider.containers())
            try await expect("/v1/containers/", await provider.containers())
            try await expect("/v1/containers/web", try await provider.container("web"))
            try await expect("/v1/alerts", await provider.alerts())
            try await expect("/v1/doctor", await provider.doctor())
            try await expect("/v1/since/10m", try await provider.since("10m"))
            try await expect("/v1/since/a%20mark?x=y", try await provider.since("a mark"))
            try await expect("http://localhost/healthz", provider.health())
        }
    }

    @Test(
        "an image's name may hold slashes and colons, encoded or not",
        arguments: ["library/nginx:1", "library%2Fnginx%3A1", "library%2fnginx:1"])
    func imageNames(reference: String) async throws {
        try await TestServer.run { server in
            let response = try await server.request("/v1/images/\(reference)")
            #expect(response.status == 200)
            #expect(try response.decode(ImageDetail.self).parents == ["library/nginx:1"])
        }
    }

    @Test("HEAD answers with the head of GET and no body")
    func head() async throws {
        try await TestServer.run { server in
            let get = try await server.request("/v1/images")
            let answers = try await onThread { [path = server.path] in
                let client = try RawClient(path)
                try client.get("/v1/images", method: "HEAD")
                let head = try client.response(withBody: false)
                try client.get("/healthz")
                return (head, try client.response())
            }
            #expect(answers.0.status == 200)
            #expect(answers.0.headers == get.headers)
            #expect(answers.1.status == 200)
            let feed = try await onThread { [path = server.path] in
                let client = try RawClient(path)
                try client.get("/v1/feed", method: "HEAD")
                return (try client.head(), try client.rest())
            }
            #expect(feed.0.headers["content-type"] == "application/x-ndjson")
            #expect(feed.1.isEmpty)
        }
    }

    @Test(
        "an unknown path is 404, a wrong method 405 with what is allowed",
        arguments: [
            ("GET", "/", 404, nil), ("GET", "/v1", 404, nil), ("GET", "/v2/status", 404, nil),
            ("GET", "/v1/status/x", 404, nil), ("GET", "/v1/containers/a/b", 404, nil),
            ("POST", "/v1/marks/", 404, nil), ("POST", "/v1/marks//", 404, nil),
            ("GET", "/v1/images//", 404, nil),
            ("GET", "/v1/containers//", 404, nil), ("GET", "/v1/images/none", 404, nil),
            ("POST", "/v1/status", 405, "GET, HEAD"), ("DELETE", "/v1/images/a/b", 405, "GET, HEAD"),
            ("OPTIONS", "/healthz", 405, "GET, HEAD"), ("GET", "/v1/marks/x", 405, "POST"),
            ("HEAD", "/v1/marks/x", 405, "POST"), ("GET", "/v1/images/%zz", 400, nil),
            ("GET", "/v1/images/%0a", 400, nil), ("GET", "/v1/images/%ff", 400, nil),
            ("GET", "/v1/feed?since=x", 400, nil), ("GET", "/v1/images/amb", 409, nil),
            ("CONNECT", "localhost:80", 400, nil),
        ] as [(String, String, Int, String?)])
    func problems(method: String, target: String, status: Int, allow: String?) async throws {
        try await TestServer.run { server in
            let response = try await server.request(target, method: method)
            #expect(response.status == status)
            #expect(response.headers["allow"] == allow)
            #expect(response.headers["content-type"] == "application/problem+json")
            guard method != "HEAD" else { return }
            let problem = try response.decode(Problem.self)
            #expect(problem.status == status)
            #expect(!problem.detail.isEmpty)
            if status == 409 { #expect(problem.candidates == ["ambrosia", "amber"]) }
        }
    }

    @Test("the daemon's own user may set a mark, with a body or without")
    func marks() async throws {
        try await TestServer.run { server in
            let plain = try await server.request("/v1/marks/before%20build", method: "POST")
            #expect(try plain.decode(MarkSet.self).mark == "before build")
            let answers = try await onThread { [path = server.path] in
                let client = try RawClient(path)
                try client.send(
                    "POST /v1/marks/b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4096\r\n\r\n"
                )
                let first = try client.head().status
                try client.send(String(repeating: "b", count: 4096))
                return [first, try client.response().status]
            }
            #expect(answers == [100, 200])
            #expect(server.provider.marks.withLock { $0 } == ["before build", "b"])
        }
    }

    @Test("a client of HTTP/1.0 is not told to continue, which it would take for the answer")
    func continueForOldClients() async throws {
        try await TestServer.run { server in
            let status = try await onThread { [path = server.path] in
                let client = try RawClient(path)
                try client.send(
                    "POST /v1/marks/b HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nb")
                return try client.response().status
            }
            #expect(status == 200)
        }
    }
}
