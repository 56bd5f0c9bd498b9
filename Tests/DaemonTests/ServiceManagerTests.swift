import Accounting
import Foundation
import Glibc
import Kernel
import Synchronization
import Testing
import UsageTestKit
import Wire

/// The socket that a service manager listens on for its services' messages.
private final class NotifySocket: Sendable {
    let path: String
    private let descriptor: Int32
    private let received = Mutex<[String]>([])

    /// Each message as it came, of one or more lines.
    var messages: [String] { received.withLock { $0 } }

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        NamedThread.start("notify") { [self] in
            var buffer = [UInt8](repeating: 0, count: 8192)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                let text = String(decoding: buffer[..<count], as: UTF8.self)
                received.withLock { $0.append(text) }
            }
        }
    }

    func close() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Waits for a message from position `start` on that has a line.
    func wait(for line: String, from start: Int = 0) async throws -> Int {
        try await UsageTestKit.wait(for: "\(line) in \(messages)", deadline: .seconds(20)) {
            messages.dropFirst(start).firstIndex { $0.split(separator: "\n").contains { $0.hasPrefix(line) } }
        }
    }
}

@Suite("the daemon under a service manager")
struct ServiceManagerTests {
    @Test("it tells that it is ready, how it is, that it lives, reloads and stops, in this order")
    func notifications() async throws {
        try await withStore { world in
            let manager = try NotifySocket(world.scratch("notify"))
            defer { manager.close() }
            let environment = ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "2000000"]
            try await withDaemon(["docker=\(world.root)"], environment: environment) { daemon in
                let ready = try await manager.wait(for: "READY=1")
                #expect(manager.messages[..<ready].allSatisfy { !$0.contains("STATUS=3 containers") })
                _ = try await daemon.query.exactStatus()
                let status = try await manager.wait(for: "STATUS=3 containers")
                #expect(status > ready)
                #expect(manager.messages[status].contains("image layers"))
                let alive = try await manager.wait(for: "WATCHDOG=1")
                _ = try await manager.wait(for: "WATCHDOG=1", from: alive + 1)

                // A new socket for clients is open before it is ready.
                var start = manager.messages.count
                daemon.signal(SIGHUP)
                let reloading = try await manager.wait(for: "RELOADING=1", from: start)
                let fields = manager.messages[reloading].split(separator: "\n")
                let sent = try #require(
                    fields.first { $0.hasPrefix("MONOTONIC_USEC=") }.flatMap {
                        Int64($0.dropFirst("MONOTONIC_USEC=".count))
                    })
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                let latest = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
                #expect(sent > 0 && sent <= latest)
                let again = try await manager.wait(for: "READY=1", from: reloading + 1)
                _ = try await manager.wait(for: "STATUS=3 containers", from: again + 1)

                // A wrong configuration ends the reload too, or the manager would wait for ever.
                start = again + 1
                try daemon.directory.write("no_such: 1\n", to: "usaged.yaml")
                daemon.signal(SIGHUP)
                let wrong = try await manager.wait(for: "RELOADING=1", from: start)
                let kept = try await manager.wait(for: "READY=1", from: wrong + 1)
                #expect(manager.messages[kept].contains("no_such"))
                // As long as it is wrong, with the figures.
                let refused = try await manager.wait(for: "STATUS=The configuration is wrong", from: kept + 1)
                #expect(manager.messages[refused].contains("usaged.yaml:1:1: no_such: "))
                #expect(manager.messages[refused].contains("; 3 containers "))
                try daemon.directory.write("", to: "usaged.yaml")
                daemon.signal(SIGHUP)
                _ = try await manager.wait(for: "STATUS=3 containers", from: refused + 1)

                #expect(try await daemon.terminate() == 0)
                let stopping = try await manager.wait(for: "STOPPING=1", from: kept)
                #expect(!manager.messages[stopping...].contains { $0.contains("READY=1") })
            }
        }
    }

    @Test("a reload that is asked for as soon as it is ready is done and does not end it")
    func earlyReload() async throws {
        try await withScratch { scratch in
            let manager = try NotifySocket(scratch("notify"))
            defer { manager.close() }
            let config = try scratch.write("", to: "usaged.yaml")
            let store = try scratch.directory("store")
            for round in 0..<10 {
                let start = manager.messages.count
                let child = try await ChildProcess.start(
                    [
                        try UsagedProcess.executable("usaged"), "--config", config, "--socket",
                        scratch("s\(round)"), "--state", try scratch.directory("state"), "--store",
                        "plain=\(store)",
                    ], environment: ["NOTIFY_SOCKET": manager.path], error: .capture, diesWithParent: true)
                let ready = try await manager.wait(for: "READY=1", from: start)
                child.signal(SIGHUP)
                let reloading = try await manager.wait(for: "RELOADING=1", from: ready)
                _ = try await manager.wait(for: "READY=1", from: reloading)
                child.signal(SIGTERM)
                #expect(try await child.ended(within: .seconds(20)).status == 0)
            }
        }
    }

    @Test("without stores it is ready and says that it found none, or which it found by itself")
    func statusOfTrouble() async throws {
        try await withScratch { scratch in
            let manager = try NotifySocket(scratch("notify"))
            defer { manager.close() }
            let root = scratch("missing")
            try await withDaemon(["docker=\(root)"], environment: ["NOTIFY_SOCKET": manager.path]) { daemon in
                _ = try await manager.wait(for: "READY=1")
                let trouble = try await manager.wait(for: "STATUS=0 containers")
                #expect(manager.messages[trouble].contains("\(root) is stale"))
                // No watchdog was asked for.
                #expect(!manager.messages.contains { $0.contains("WATCHDOG") })
                #expect(try await daemon.terminate() == 0)
            }
        }
    }

    private static let activator: String? = {
        let places = ["/usr/bin/systemd-socket-activate", "/bin/systemd-socket-activate"]
        return places.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    @Test(
        "it serves a socket that the service manager passed, and leaves it at the end",
        .enabled(if: activator != nil, "needs systemd-socket-activate"))
    func activation() async throws {
        try await withStore { world in
            let scratch = world.scratch
            let socket = scratch("passed.sock")
            let child = try await ChildProcess.start(
                [
                    try #require(Self.activator), "--listen=\(socket)", "--fdname=usaged.socket",
                    try UsagedProcess.executable("usaged"), "--config", scratch.write("", to: "usaged.yaml"),
                    "--socket", scratch("unused.sock"), "--state", scratch.directory("state"), "--store",
                    "docker=\(world.root)",
                ], output: .capture, error: .capture, diesWithParent: true)
            do {
                // Its file is there a moment before anybody listens; the flag says that somebody does.
                try await wait(until: "somebody to listen", deadline: .seconds(60)) {
                    try ProcessFile.text("/proc/net/unix").split(separator: "\n")
                        .contains { $0.hasSuffix(" \(socket)") && $0.contains(" 00010000 ") }
                }
                // The first connection starts the daemon, which answers it.
                let query = UsageQuery(socket: socket)
                let status = try await query.client(["status", "--json"])
                status.expectDone()
                let exact = try await query.exactStatus()
                #expect(exact.imageFigures.keys.sorted() == world.store.images.keys.sorted())
                #expect(!FileManager.default.fileExists(atPath: scratch("unused.sock")))
                child.signal(SIGTERM)
                #expect(try await child.ended(within: .seconds(20)).status == 0)
                #expect(FileManager.default.fileExists(atPath: socket))
            } catch {
                child.signal(SIGKILL, group: true)
                let exit = try? await child.ended(within: .seconds(10))
                throw DaemonFailure(description: "\(error)\n\(exit?.error ?? "")")
            }
        }
    }
}
