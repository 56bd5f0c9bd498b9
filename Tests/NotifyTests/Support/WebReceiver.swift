import Foundation
import Glibc
import Synchronization
import UsageTestKit

/// An HTTP server on loopback that keeps what is posted to it, and answers as a test says.
final class WebReceiver: Sendable {
    struct Request: Sendable {
        /// Method, path and version.
        var line: String
        /// Names in lower case.
        var headers: [String: String]
        var body: Data

        /// The body by a reader of JSON that has nothing to do with what wrote it.
        var json: Any? { try? JSONSerialization.jsonObject(with: body) }
        var object: [String: Any] { json as? [String: Any] ?? [:] }
        var alerts: [[String: Any]] { object["alerts"] as? [[String: Any]] ?? json as? [[String: Any]] ?? [] }
    }

    enum Answer: Sendable {
        case status(Int, fields: [String] = [], body: String = "")
        /// The head says that all is well, and a body follows that has no end until the client goes.
        case endless
        /// Closes without a word.
        case nothing
        /// Says nothing until the client goes.
        case silence
        /// The beginning of a head, then the end of the connection.
        case half
    }

    private struct State {
        var requests: [Request] = []
        var answer: @Sendable (Request) -> Answer = { _ in .status(200) }
        var acceptor: Acceptor?
        var connections: Set<Int32> = []
    }

    let port: UInt16
    private let state = Mutex(State())

    init() throws {
        let (listener, port) = try Self.listen(port: 0)
        self.port = port
        serve(listener)
    }

    deinit {
        goDown()
    }

    var url: String { "http://127.0.0.1:\(port)/hook" }
    var requests: [Request] { state.withLock { $0.requests } }
    /// The alerts of all requests, in their order.
    var alerts: [[String: Any]] { requests.flatMap(\.alerts) }

    func answer(_ answer: @escaping @Sendable (Request) -> Answer) {
        state.withLock { $0.answer = answer }
    }

    func answer(_ answer: Answer) {
        self.answer { _ in answer }
    }

    func forget() {
        state.withLock { $0.requests = [] }
    }

    /// Stops listening: who connects is refused.
    func goDown() {
        state.withLock { state in
            state.acceptor?.end()
            state.acceptor = nil
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    /// Listens again on the same port.
    func comeBack() throws {
        serve(try Self.listen(port: port).listener)
    }

    private func serve(_ listener: Int32) {
        let acceptor = Acceptor(listener)
        state.withLock { $0.acceptor = acceptor }
        acceptor.start { [weak self] connection in
            self?.state.withLock { _ = $0.connections.insert(connection) }
            while let self, let request = Self.read(connection), self.reply(to: request, connection) {}
            self?.state.withLock { _ = $0.connections.remove(connection) }
            shutdown(connection, Int32(SHUT_RDWR))
        }
    }

    /// Whether the connection goes on.
    private func reply(to request: Request, _ connection: Int32) -> Bool {
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answer
        }
        switch answer(request) {
        case .status(let status, let fields, let body):
            let head =
                ["HTTP/1.1 \(status) Said", "Content-Length: \(body.utf8.count)"] + fields + ["", body]
            return Self.send(head.joined(separator: "\r\n"), connection)
        case .endless:
            let piece = String(repeating: "x", count: 64 << 10)
            guard Self.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", connection) else {
                return false
            }
            while Self.send(piece, connection) {}
            return false
        case .nothing: return false
        case .silence:
            var byte: UInt8 = 0
            while recv(connection, &byte, 1, 0) > 0 {}
            return false
        case .half:
            _ = Self.send("HTTP/1.1 200", connection)
            return false
        }
    }

    private static func send(_ text: String, _ connection: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func read(_ connection: Int32) -> Request? {
        var bytes = Data()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let end = Data("\r\n\r\n".utf8)
        while true {
            if let head = bytes.range(of: end) {
                let lines = String(decoding: bytes[..<head.lowerBound], as: UTF8.self)
                    .components(separatedBy: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    headers[parts[0].lowercased()] =
                        parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
                }
                let length = Int(headers["content-length"] ?? "") ?? 0
                if bytes.count >= head.upperBound + length {
                    return Request(
                        line: lines[0], headers: headers,
                        body: Data(bytes[head.upperBound..<(head.upperBound + length)]))
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    private static func listen(port: UInt16) throws -> (listener: Int32, port: UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && Glibc.listen(listener, 64) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard result else {
            throw WaitFailure(
                description: "cannot listen on port \(port): \(String(cString: strerror(errno)))")
        }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    /// A port of loopback on which nobody listens now.
    static func freePort() throws -> UInt16 {
        let (listener, port) = try listen(port: 0)
        close(listener)
        return port
    }
}
