import Foundation
import Glibc
import Logging
import Testing
import UsageTestKit
import Wire

@testable import StatusFeed

@Suite struct ListeningSocketTests {
    private func mode(_ path: String) -> UInt32 {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : 0
    }

    private func open(_ socket: ListeningSocket) async throws {
        try await TestServer.serve(socket) {}
    }

    private func code(_ socket: ListeningSocket) async -> ListeningSocketError.Code? {
        do {
            try await open(socket)
            return nil
        } catch {
            return (error as? ListeningSocketError)?.code
        }
    }

    @Test("the socket file has mode 0660, belongs to the group and is removed at the end")
    func mode() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            try await TestServer.serve(.path(path), group: geteuid() == 0 ? "daemon" : nil) {
                #expect(mode(path) == S_IFSOCK | 0o660)
                if geteuid() == 0 {
                    var status = stat()
                    #expect(lstat(path, &status) == 0)
                    #expect(status.st_gid == getgrnam("daemon")?.pointee.gr_gid)
                }
            }
            #expect(mode(path) == 0)
        }
    }

    @Test("a group that does not exist is told once, as information")
    func noGroupIsTold() async throws {
        try await withTemporaryDirectory { directory in
            let log = LogKeeper()
            let bound = try BoundSocket.open(
                .path(directory + "/s"), group: "no-such-group-here", logger: log.logger)
            bound.close()
            #expect(log.lines.map(\.level) == [.info])
            #expect(log.lines.first?.message.hasPrefix("there is no group no-such-group-here: ") == true)
        }
    }

    @Test("a group that does not exist is no error")
    func noGroup() async throws {
        try await withTemporaryDirectory { directory in
            try await TestServer.serve(.path(directory + "/s"), group: "no-such-group-here") {
                #expect(mode(directory + "/s") == S_IFSOCK | 0o660)
            }
        }
    }

    @Test("the socket file of a dead daemon is replaced")
    func stale() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            let dead = try #require(RawListener(path))
            dead.close()
            #expect(mode(path) & S_IFMT == S_IFSOCK)
            try await TestServer.serve(.path(path)) {
                let health = try await onThread {
                    let client = try RawClient(path)
                    try client.get("/healthz")
                    return try client.response()
                }
                #expect(health.status == 200)
            }
        }
    }

    @Test("a socket on which somebody listens is refused and left alone")
    func live() async throws {
        try await TestServer.run { server in
            #expect(await code(.path(server.path)) == .inUse)
            let health = try await server.request("/healthz")
            #expect(health.status == 200)
        }
    }

    @Test("a file that is no socket is refused and left alone")
    func notASocket() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
            #expect(await code(.path(path)) == .notASocket)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
            try FileManager.default.createSymbolicLink(atPath: directory + "/l", withDestinationPath: path)
            #expect(await code(.path(directory + "/l")) == .notASocket)
        }
    }

    @Test("a missing directory and a path too long are told")
    func badPaths() async throws {
        try await withTemporaryDirectory { directory in
            #expect(await code(.path(directory + "/none/s")) == .directoryMissing)
            #expect(await code(.path(directory + "/" + String(repeating: "x", count: 100))) == .pathTooLong)
            #expect(await code(.path("")) == .pathTooLong)
        }
    }

    @Test("a listening descriptor that was passed is served, and its file stays")
    func passedDescriptor() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            let listener = try #require(RawListener(path))
            // Sent before the server is there, as with a socket unit.
            let early = try RawClient(path)
            try early.get("/healthz")
            try await TestServer.serve(.descriptor(listener.descriptor)) {
                let answer = try await onThread { try early.response() }
                #expect(answer.status == 200)
            }
            #expect(mode(path) & S_IFMT == S_IFSOCK)
        }
    }

    @Test("a TCP socket that was passed is read-only")
    func passedTCPSocket() async throws {
        let listener = try #require(RawListener.loopback())
        try await TestServer.serve(.descriptor(listener.descriptor)) {
            let url = "http://127.0.0.1:\(listener.port)"
            let read = try await Self.curl(["\(url)/healthz"])
            #expect(read.hasSuffix("200"))
            let write = try await Self.curl(["-X", "POST", "\(url)/v1/marks/m"])
            #expect(write.hasSuffix("403"))
        }
    }

    @Test("a descriptor that is no listening stream socket is refused")
    func wrongDescriptor() async throws {
        #expect(await code(.descriptor(-1)) == .notListening)
        let file = Glibc.open("/dev/null", O_RDONLY)
        defer { close(file) }
        #expect(await code(.descriptor(file)) == .notListening)
        let unbound = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(unbound) }
        #expect(await code(.descriptor(unbound)) == .notListening)
    }

    private static func curl(_ arguments: [String]) async throws -> String {
        try await Command.run(
            ["curl", "-sS", "--noproxy", "*", "--max-time", "20", "-w", "%{http_code}"] + arguments
        ).out
    }
}

/// A listening socket as another process would pass it.
struct RawListener {
    let descriptor: Int32
    var port: UInt16 = 0

    init?(_ path: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard var address = UnixAddress(path) else { return nil }
        guard address.withPointer({ [descriptor] in bind(descriptor, $0, $1) }) == 0,
            listen(descriptor, 16) == 0
        else { return nil }
    }

    private init(descriptor: Int32, port: UInt16) {
        self.descriptor = descriptor
        self.port = port
    }

    static func loopback() -> RawListener? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        return bound ? RawListener(descriptor: descriptor, port: UInt16(bigEndian: address.sin_port)) : nil
    }

    func close() {
        Glibc.close(descriptor)
    }
}
