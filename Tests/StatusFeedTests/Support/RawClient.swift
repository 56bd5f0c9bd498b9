import Foundation
import Glibc
import Synchronization
import UsageTestKit
import Wire

@testable import StatusFeed

/// A response as it came.
struct RawResponse {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try WireCoding.decode(type, from: Data(body))
    }
}

struct ClientError: Error, CustomStringConvertible {
    var description: String
}

/// A client of a socket that sends what it is told and shares no code with the server.
///
/// Its calls block and belong into ``onThread(_:)``; each gives up after ``deadlineSeconds``, with a sanitizer later.
final class RawClient: Sendable {
    static let deadlineSeconds = 90

    private let descriptor: Int32
    private let pending = Mutex<[UInt8]>([])

    /// Connects at once; where the socket's queue is full it fails, and `deinit` closes.
    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard var address = UnixAddress(path),
            address.withPointer({ [descriptor] in connect(descriptor, $0, $1) }) == 0
        else {
            let reason = String(cString: strerror(errno))
            throw ClientError(description: "connect \(path): \(reason)")
        }
    }

    /// Connects to a port of this host.
    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard LoopbackPort.connect(descriptor, to: port) else {
            let reason = String(cString: strerror(errno))
            throw ClientError(description: "connect to port \(port): \(reason)")
        }
    }

    deinit {
        close(descriptor)
    }

    /// Closes the sending side.
    func endInput() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Whether the server closed its side, whatever is still to be read.
    var isHungUp: Bool {
        var entry = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLHUP) != 0
    }

    func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            try wait(for: Int16(POLLOUT))
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                )
            }
            if count < 0, errno == EAGAIN { continue }
            guard count >= 0 else {
                throw ClientError(description: "send: \(String(cString: strerror(errno)))")
            }
            sent += count
        }
    }

    func get(_ path: String, _ fields: String = "", method: String = "GET") throws {
        try send("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
    }

    /// Reads a response with a `Content-Length`, or the head alone.
    func response(withBody: Bool = true) throws -> RawResponse {
        var response = try head()
        let length = response.headers["content-length"].flatMap { Int($0) } ?? 0
        if withBody { response.body = try take(length) }
        return response
    }

    func head() throws -> RawResponse {
        var lines: [String] = []
        while true {
            let line = try line(ending: "\r\n")
            if line.isEmpty { break }
            lines.append(line)
        }
        let parts = lines.first?.split(separator: " ") ?? []
        guard parts.count > 1, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
            throw ClientError(description: "not a status line: \(lines)")
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            headers[pair[0].lowercased()] = pair.count > 1 ? pair[1].trimmingCharacters(in: .whitespaces) : ""
        }
        return RawResponse(status: status, headers: headers, body: [])
    }

    /// One chunk of a chunked body; nothing at its end.
    func chunk() throws -> [UInt8]? {
        guard let size = Int(try line(ending: "\r\n"), radix: 16) else {
            throw ClientError(description: "not a chunk's size")
        }
        let bytes = try take(size)
        _ = try take(2)
        return size == 0 ? nil : bytes
    }

    func line(ending: String) throws -> String {
        let end = Array(ending.utf8)
        while true {
            let found = pending.withLock { pending -> [UInt8]? in
                guard let range = pending.firstRange(of: end) else { return nil }
                let line = Array(pending[..<range.lowerBound])
                pending.removeSubrange(..<range.upperBound)
                return line
            }
            if let found { return String(decoding: found, as: UTF8.self) }
            guard try fill() else {
                throw ClientError(description: "the server closed in the middle of a line")
            }
        }
    }

    func take(_ count: Int) throws -> [UInt8] {
        while pending.withLock({ $0.count }) < count {
            guard try fill() else {
                throw ClientError(description: "the server closed before \(count) bytes")
            }
        }
        return pending.withLock { pending in
            let taken = Array(pending.prefix(count))
            pending.removeFirst(count)
            return taken
        }
    }

    /// Everything up to the server's close.
    func rest() throws -> [UInt8] {
        while try fill() {}
        return pending.withLock { pending in
            defer { pending = [] }
            return pending
        }
    }

    /// Reads some bytes; false at the end or after a reset.
    private func fill() throws -> Bool {
        try wait(for: Int16(POLLIN))
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == ECONNRESET { return false }
        guard count >= 0 else { throw ClientError(description: "recv: \(String(cString: strerror(errno)))") }
        pending.withLock { $0 += buffer.prefix(count) }
        return count > 0
    }

    private func wait(for events: Int16) throws {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        let seconds = Self.deadlineSeconds * Sanitizer.slowdown
        guard poll(&entry, 1, Int32(seconds * 1000)) == 1 else {
            throw ClientError(description: "nothing came within \(seconds) s")
        }
    }
}

/// Waits until something is so, and fails when it does not become so.
func eventually(_ what: String, _ condition: () -> Bool) async throws {
    try await wait(until: what, deadline: .seconds(RawClient.deadlineSeconds)) { condition() }
}
