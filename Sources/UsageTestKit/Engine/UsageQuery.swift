internal import Foundation
public import Wire

/// Asks a running daemon through the built `usage-client`, or straight over its socket.
public struct UsageQuery: Sendable {
    public let socket: String

    public init(socket: String) {
        self.socket = socket
    }

    /// Runs the client with `arguments` on this socket, whatever its exit status.
    public func client(_ arguments: [String], deadline: Duration = .seconds(30)) async throws
        -> Command.Result
    {
        try await Command.run(
            [UsagedProcess.executable("usage-client")] + arguments, environment: ["USAGED_SOCKET": socket],
            deadline: deadline)
    }

    /// Runs the client with `arguments` and `--json` and decodes what it printed; throws unless it ended with 0.
    public func client<Value: Decodable>(_ type: Value.Type, _ arguments: String...) async throws -> Value {
        try await client(type, arguments: arguments)
    }

    public func client<Value: Decodable>(_ type: Value.Type, arguments: [String]) async throws -> Value {
        let text = try await Command.output(
            [UsagedProcess.executable("usage-client")] + arguments + ["--json"],
            environment: ["USAGED_SOCKET": socket], deadline: .seconds(30))
        return try WireCoding.decode(type, from: Data(text.utf8))
    }

    /// `GET` of a path without its first slash, by `curl`.
    public func get<Value: Decodable>(_ type: Value.Type, _ path: String) async throws -> Value {
        let text = try await Command.output([
            "curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "20", "--unix-socket",
            socket, "http://localhost/\(path)",
        ])
        return try WireCoding.decode(type, from: Data(text.utf8))
    }

    public func status() async throws -> Status { try await client(Status.self, "status") }

    /// Waits for an answer with a look at open files that began after this call; where looks are dear, that is one of
    /// those at intervals.
    public func statusWithOpenFiles() async throws -> Status {
        let now = Date().timeIntervalSince1970 * 1e9
        let begin = WireCoding.timestamp(wallNanoseconds: Int64(now))
        return try await wait(for: "a look at open files", deadline: .seconds(60)) {
            let status = try await status()
            return (status.deletedOpen?.asOf ?? "") > begin ? status : nil
        }
    }

    /// Waits for an answer that is exact and returns it.
    public func exactStatus(deadline: Duration = .seconds(60)) async throws -> Status {
        var reasons: [String] = []
        do {
            return try await wait(for: "an exact status", deadline: deadline) {
                let status = try await status()
                reasons = status.reasons
                return status.exact ? status : nil
            }
        } catch {
            throw WaitFailure(description: "\(error); reasons of the last answer: \(reasons)")
        }
    }
}

extension Status {
    public func container(named name: String) -> Container? {
        containers.first { $0.name == name }
    }

    public func image(named name: String) -> Image? {
        images.first { $0.names.contains(name) }
    }
}
