import Foundation
import Glibc
import Synchronization
import Testing

@testable import Journal

@Suite("The service manager")
struct ServiceManagerTests {
    @Test("states are sent as sd_notify(3) has them, and no text starts another assignment")
    func messages() {
        let sent = Mutex<[String]>([])
        let manager = ServiceManager { message in
            sent.withLock { $0.append(message) }
            return 1
        }
        #expect(manager.notify(ready: "3 stores"))
        #expect(manager.status("web\nREADY=1\u{1B}[0m"))
        #expect(manager.keepAlive())
        #expect(manager.stopping())
        #expect(manager.reloading())
        let messages = sent.withLock { $0 }
        #expect(
            messages.dropLast() == [
                "READY=1\nSTATUS=3 stores", "STATUS=web\\nREADY=1\\x1b[0m", "WATCHDOG=1",
                "STOPPING=1\nSTATUS=Stopping",
            ])
        let reload = messages.last?.split(separator: "\n").map(String.init) ?? []
        #expect(reload.first == "RELOADING=1")
        #expect(reload.last?.hasPrefix("MONOTONIC_USEC=") == true)
        #expect(reload.last.flatMap { UInt64($0.dropFirst(15)) } != nil)
    }

    @Test("without a service manager nothing is sent and nothing fails")
    func absent() async throws {
        let run = try await Probe.run([Probe.path, "notify"])
        #expect(run.status == 0)
        #expect(run.output == "false false false false false\nnone\n")
    }

    @Test("each state arrives as one datagram on NOTIFY_SOCKET")
    func datagrams() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let path = scratch.path + "/n"
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        let run = try await Probe.run(
            [Probe.path, "notify"], environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "60000000"])
        #expect(run.output == "true true true true true\n60\n")
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { break }
            messages.append(String(decoding: buffer.prefix(count), as: UTF8.self))
        }
        #expect(messages.count == 5)
        #expect(messages.first == "READY=1\nSTATUS=3 stores\\nMAINPID=1")
    }

    @Test("a passed socket is served only for what its name and its kind allow")
    func purposes() {
        func purpose(_ name: String, _ kind: SocketKind) -> PassedSockets.Purpose? {
            try? PassedSockets.purpose(name: name, kind: kind).get()
        }
        #expect(purpose("usaged.socket", .unix) == .feed)
        #expect(purpose("usaged.socket", .tcp(isLoopback: true)) == nil)
        #expect(purpose("usaged.socket", .other) == nil)
        #expect(purpose("usaged-web.socket", .tcp(isLoopback: true)) == .web)
        #expect(purpose("usaged-web.socket", .tcp(isLoopback: false)) == nil)
        #expect(purpose("usaged-web.socket", .unix) == nil)
        #expect(purpose("unknown", .unix) == .feed)
        #expect(purpose("unknown", .tcp(isLoopback: true)) == .web)
        #expect(purpose("unknown", .tcp(isLoopback: false)) == nil)
        #expect(purpose("stored", .other) == nil)
    }

    @Test("without passed sockets there are none")
    func noSockets() async throws {
        let run = try await Probe.run([Probe.path, "sockets"])
        #expect(run.output == "feed [] web []\nagain true\n")
    }

    @Test("passed sockets are told apart, closed on exec, and taken once")
    func passed() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let sockets = [
            try ListeningSocket(unix: scratch.path + "/s"), try ListeningSocket(ipv4: 0x7F00_0001),
            try ListeningSocket(ipv4: 0), try ListeningSocket(ipv6: in6addr_loopback),
        ]
        defer { withExtendedLifetime(sockets) {} }
        let names = "usaged.socket:usaged-web.socket:usaged-web.socket:unknown"
        let output = try Spawn.run(
            [
                "sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=4 LISTEN_FDNAMES=\(names) exec \"$0\" sockets",
                Probe.path,
            ],
            descriptors: sockets.map(\.descriptor), output: scratch.path + "/out")
        #expect(
            output == """
                feed [3] web [4, 6]
                refused usaged-web.socket: it listens beyond this host; set ListenStream=127.0.0.1:PORT or [::1]:PORT
                cloexec true
                cloexec true
                cloexec true
                again true

                """)
    }

    @Test("what is passed and is no listening socket is refused, not served")
    func passedOther() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(file) }
        let output = try Spawn.run(
            [
                "sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=usaged.socket exec \"$0\" sockets",
                Probe.path,
            ],
            descriptors: [file], output: scratch.path + "/out")
        #expect(
            output == """
                feed [] web []
                refused usaged.socket: not a listening stream socket; set ListenStream= and Accept=no
                again true

                """)
    }

    @Test("variables that make no sense are told, not trusted")
    func wrongVariables() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let output = try Spawn.run(
            ["sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=many exec \"$0\" sockets", Probe.path], descriptors: [],
            output: scratch.path + "/out")
        #expect(output.hasPrefix("feed [] web []\nrefused LISTEN_FDS: Invalid argument"))
    }
}
