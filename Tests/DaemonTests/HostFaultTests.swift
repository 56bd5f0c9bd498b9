import Foundation
import Testing
import UsageTestKit
import Wire

/// The daemon is stopped or killed at any moment, while containers write.
@Suite("a host that fails")
struct HostFaultTests {
    @Test("a daemon that was stopped while more happened than the kernel queues is exact when it goes on")
    func stopped() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("plain")
            for name in ["box", "crate"] {
                try PlainStore.write(5_000, to: "\(scratch.directory("plain/\(name)"))/a")
            }
            try await withDaemon(["plain=\(root)"], configuration: PlainStore.rules) { daemon in
                _ = try await PlainStore.check(daemon.query, root)
                let feed = try await FeedRecorder.start(daemon.query)
                daemon.signal(SIGSTOP)
                try await Command.output([
                    "perl", "-e",
                    """
                    chdir $ARGV[0];
                    for (1..12000) { open F, '>', "f$_"; close F; rename "f$_", "g" if $_ % 3 }
                    open F, '>', 'big'; print F 'x' x 300000; close F;
                    """, "\(root)/box",
                ])
                daemon.signal(SIGCONT)
                let status = try await PlainStore.check(daemon.query, root)
                #expect(status.counters.overflows > 0)
                #expect(status.containers.map(\.state) == [.exact, .exact])
                #expect(status.alerts.map(\.container) == ["box"])
                _ = try await feed.first("the alert") { $0.alert?.state == .firing }
                #expect(try await daemon.health().status == "ok")
                try await feed.stop()
                #expect(try await daemon.terminate() == 0)
            }
        }
    }

    /// The alerts that a daemon's log tells, in order: container and whether it fires.
    private func alerts(in log: some StringProtocol) -> [(container: String, fires: Bool)] {
        log.split(separator: "\n").filter { $0.contains(" rule=large ") || $0.hasSuffix(" rule=large") }
            .compactMap { line in
                guard let field = line.split(separator: " ").first(where: { $0.hasPrefix("container=") })
                else { return nil }
                return (String(field.dropFirst("container=".count)), line.hasPrefix("<4>"))
            }
    }

    @Test("killed at any moment, it is exact after a restart, and alerts neither vanish nor are told again")
    func killed() async throws {
        let rounds = ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] == nil ? 8 : 100
        let seed = UInt64.random(in: 0..<1_000_000)
        var generator = SeededGenerator(seed: seed)
        try await withScratch { scratch in
            let root = try scratch.directory("plain")
            let names = ["box", "case", "crate"]
            for name in names { try scratch.directory("plain/\(name)/sub") }
            try await withDaemon(["plain=\(root)"], configuration: PlainStore.rules) { daemon in
                _ = try await PlainStore.check(daemon.query, root)
                /// What was told last of each container, and what is so.
                var told: [String: Bool] = [:]
                var isLarge: [String: Bool] = [:]
                var read = 0
                for round in 0..<rounds {
                    for _ in 0..<Int.random(in: 1...6, using: &generator) {
                        let name = names[Int.random(in: 0..<3, using: &generator)]
                        let large = Bool.random(using: &generator)
                        try PlainStore.write(large ? 300_000 : 1_000, to: "\(root)/\(name)/sub/a")
                        isLarge[name] = large
                        try await Task.sleep(for: .milliseconds(Int.random(in: 0..<60, using: &generator)))
                    }
                    // What was told before a mark is kept before it, so that it may not be told again.
                    let isKept = Bool.random(using: &generator)
                    if isKept {
                        let status = try await PlainStore.check(daemon.query, root)
                        let firing = Set(names.filter { isLarge[$0] == true })
                        #expect(Set(status.alerts.map(\.container)) == firing, "seed \(seed) round \(round)")
                        try await daemon.query.client(["mark", "round"]).expectDone()
                    }
                    try await daemon.kill()
                    for alert in alerts(in: daemon.log.dropFirst(read)) {
                        told[alert.container] = alert.fires
                    }
                    let before = told
                    read = daemon.log.count

                    try await daemon.start()
                    let status = try await PlainStore.check(daemon.query, root)
                    let firing = Set(names.filter { isLarge[$0] == true })
                    #expect(Set(status.alerts.map(\.container)) == firing, "seed \(seed) round \(round)")
                    #expect(!daemon.log.contains("cannot be read and start anew"))
                    #expect(!daemon.log.contains("damaged"))
                    // Records are written a little later.
                    var new: [(container: String, fires: Bool)] = []
                    try await wait(until: "all alerts to be told, seed \(seed) round \(round)") {
                        new = alerts(in: daemon.log.dropFirst(read))
                        let latest = told.merging(new.map { ($0.container, $0.fires) }) { $1 }
                        return Set(latest.filter(\.value).keys) == firing
                    }
                    if isKept { #expect(new.isEmpty, "seed \(seed) round \(round): \(new)") }
                    for alert in new {
                        // One that was told and not kept yet may be told once more.
                        let isRepeated = told[alert.container, default: false] == alert.fires
                        #expect(
                            !isRepeated || before[alert.container] == told[alert.container],
                            "seed \(seed) round \(round): \(new)")
                        told[alert.container] = alert.fires
                    }
                    read = daemon.log.count
                }
            }
        }
    }

    @Test("a state directory that is removed while the daemon runs is told and made anew, with what is known")
    func stateRemoved() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("plain")
            try PlainStore.write(5_000, to: "\(scratch.directory("plain/box"))/a")
            try await withDaemon(["plain=\(root)"], configuration: PlainStore.rules) { daemon in
                try PlainStore.write(300_000, to: "\(root)/box/b")
                let status = try await PlainStore.check(daemon.query, root)
                #expect(status.alerts.map(\.container) == ["box"])
                try await daemon.query.client(["mark", "early"]).expectDone()
                try FileManager.default.removeItem(atPath: daemon.stateDirectory)
                try await daemon.query.client(["mark", "late"]).expectDone()
                let told = daemon.log.split(separator: "\n").filter { $0.contains("removed or replaced") }
                #expect(told.count == 1)
                #expect(told.first?.contains(daemon.stateDirectory) == true)
                try await daemon.kill()
                let read = daemon.log.count
                try await daemon.start()
                let again = try await PlainStore.check(daemon.query, root)
                #expect(again.alerts.map(\.container) == ["box"])
                #expect(alerts(in: daemon.log.dropFirst(read)).isEmpty)
                _ = try await daemon.query.client(Since.self, "since", "late")

                // A file in its place is no place for state: a mark is refused with the reason.
                try FileManager.default.removeItem(atPath: daemon.stateDirectory)
                try daemon.directory.write("a file", to: "state")
                let refused = try await daemon.query.client(["mark", "never"])
                #expect(refused.status == 1)
                #expect(refused.err.contains(daemon.stateDirectory), "\(refused)")
                _ = try await PlainStore.check(daemon.query, root)
            }
        }
    }

    @Test(
        "a disk that is full to the last block, with the state on it, is accounted exactly and judged",
        .enabled(if: geteuid() == 0, "mounting needs root"))
    func fullDisk() async throws {
        try await withScratch { scratch in
            let disk = try scratch.directory("disk")
            try await PlainStore.mountMemory(on: disk, mebibytes: 4)
            let root = try scratch.directory("disk/plain")
            try PlainStore.write(5_000, to: "\(scratch.directory("disk/plain/box"))/a")
            try await withDaemon(["plain=\(root)"], configuration: PlainStore.rules) { daemon in
                #expect(try await daemon.terminate() == 0)
                try await Command.output([
                    "mount", "--bind", scratch.directory("disk/state"), daemon.stateDirectory,
                ])
                try await daemon.start()
                _ = try await PlainStore.check(daemon.query, root)
                let filled = try await Command.run([
                    "dd", "if=/dev/zero", "of=\(root)/box/fill", "bs=4k", "status=none",
                ])
                #expect(filled.status == 1)
                let status = try await PlainStore.check(daemon.query, root)
                #expect(status.filesystems.map(\.availableBytes) == [0])
                #expect(status.alerts.map(\.container) == ["box"])
                try #require(unlink("\(root)/box/fill") == 0)
                #expect(try await PlainStore.check(daemon.query, root).alerts.isEmpty)
                try await daemon.query.client(["mark", "after"]).expectDone()
                #expect(try await daemon.terminate() == 0)
            }
        }
    }

    @Test(
        "without /proc the daemon says so and ends",
        .enabled(if: geteuid() == 0, "mounting needs root"),
        .disabled(if: Sanitizer.isOn, "a sanitizer needs /proc itself"))
    func noProc() async throws {
        let result = try await Command.run([
            "unshare", "--mount", "sh", "-c", #"mount -t tmpfs none /proc; exec "$0" --check-config"#,
            UsagedProcess.executable("usaged"),
        ])
        #expect(result.status == 1)
        #expect(result.err.contains("/proc is not mounted"), "\(result)")
    }

    @Test(
        "a layer that may not be read is stale with what to do, and costs the others nothing",
        .enabled(if: geteuid() == 0, "needs to become another user"))
    func noPermission() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("plain")
            for name in ["box", "crate"] {
                try PlainStore.write(5_000, to: "\(scratch.directory("plain/\(name)/sub"))/a")
            }
            for path in [scratch.path, root] { try #require(chmod(path, 0o755) == 0) }
            try #require(chmod("\(root)/crate/sub", 0o700) == 0)
            try await DiskUsage.sync(root)
            let socket = "\(try scratch.directory("run"))/usaged.sock"
            try #require(chmod(scratch("run"), 0o777) == 0)
            let child = try await ChildProcess.start(
                [
                    "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                    UsagedProcess.executable("usaged"), "--config", try scratch.write("", to: "usaged.yaml"),
                    "--socket", socket, "--state", scratch("run"), "--store", "plain=\(root)",
                ], output: .capture, error: .capture, diesWithParent: true)
            let query = UsageQuery(socket: socket)
            do {
                let status = try await wait(for: "both layers") {
                    let status = try await query.status()
                    return status.containers.map(\.state) == [.exact, .stale] ? status : nil
                }
                #expect(!status.exact)
                let walk = try await FullWalk.measure("\(root)/box")
                #expect(status.container(named: "box")?.diskBytes == walk.diskBytes)
                let reason = try #require(status.container(named: "crate")?.reason)
                #expect(
                    reason.contains("\(root)/crate") && reason.contains("CAP_DAC_READ_SEARCH"), "\(reason)")
                try #require(chmod("\(root)/crate/sub", 0o755) == 0)
                _ = try await PlainStore.check(query, root)
            } catch {
                child.signal(SIGKILL)
                throw error
            }
            child.signal(SIGTERM)
            #expect(try await child.ended(within: .seconds(15)).status == 0)
        }
    }
}
