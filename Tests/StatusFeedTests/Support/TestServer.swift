import Foundation
import UsageTestKit

@testable import StatusFeed

/// A directory that is gone after the test, with a short path: a socket's may have 107 bytes.
func withTemporaryDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
    let path = "/tmp/usaged-\(UUID().uuidString.prefix(13))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

extension StatusServer.Limits {
    /// The daemon's own, with more time where a sanitizer takes so much longer.
    static var ample: Self {
        var limits = Self()
        limits.requestTimeout *= Sanitizer.slowdown
        limits.answerTimeout *= Sanitizer.slowdown
        limits.writeTimeout *= Sanitizer.slowdown
        return limits
    }
}

/// A server that runs while the test's body does.
struct TestServer: Sendable {
    let path: String
    let provider: TestProvider
    let hub: FeedHub
    let log: LogKeeper

    static func run(
        provider: TestProvider = TestProvider(), hub: FeedHub = FeedHub(firstID: 1000),
        limits: StatusServer.Limits = .ample, _ body: (TestServer) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            let log = LogKeeper()
            try await serve(.path(path), provider: provider, hub: hub, limits: limits, log: log) {
                try await body(TestServer(path: path, provider: provider, hub: hub, log: log))
            }
        }
    }

    /// Serves on a socket until the body returns; an error of the body is told with what the server says of it.
    static func serve(
        _ listening: ListeningSocket, group: String? = nil, provider: TestProvider = TestProvider(),
        hub: FeedHub = FeedHub(firstID: 1000), limits: StatusServer.Limits = .ample,
        access: StatusServer.Access = .unix, log: LogKeeper = LogKeeper(), _ body: () async throws -> Void
    ) async throws {
        let (listens, continuation) = AsyncStream.makeStream(of: Void.self)
        let server = StatusServer(
            listening: listening, group: group, provider: provider, hub: hub, logger: log.logger,
            limits: limits,
            access: access, onListening: { continuation.yield() })
        let running = Task {
            defer { continuation.finish() }
            try await server.run()
        }
        guard await listens.first(where: { _ in true }) != nil else {
            try await running.value
            throw ClientError(description: "the server ended before it listened")
        }
        do {
            try await body()
        } catch {
            running.cancel()
            var reasons = ["\(error)"] + log.lines.suffix(20).map(\.message)
            do { try await running.value } catch { reasons.append("the server ended: \(error)") }
            throw ClientError(description: reasons.joined(separator: "; "))
        }
        running.cancel()
        try await running.value
    }

    /// Sends one request on a connection of its own.
    func request(_ target: String, method: String = "GET", fields: String = "") async throws -> RawResponse {
        try await onThread { [path] in
            let client = try RawClient(path)
            try client.get(target, fields, method: method)
            return try client.response(withBody: method != "HEAD")
        }
    }
}
