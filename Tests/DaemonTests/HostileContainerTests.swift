import Accounting
import Foundation
import Kernel
import Testing
import UsageTestKit
import Wire

/// A container chooses what is below its upper directory: kinds, names, sizes and what takes the place of what.
@Suite("hostile containers, through daemon and client")
struct HostileContainerTests {
    /// Every kind of object that is no directory.
    private func makeKinds(in directory: String) throws {
        try PlainStore.write(1_000, to: "\(directory)/regular")
        try #require(mkfifo("\(directory)/fifo", 0o666) == 0)
        try #require(symlink("/", "\(directory)/link") == 0)
        try #require(mknod("\(directory)/socket", S_IFSOCK | 0o666, 0) == 0)
        guard geteuid() == 0 else { return }
        // The null device, and a whiteout as overlayfs makes it.
        try #require(mknod("\(directory)/null", S_IFCHR | 0o666, 0x103) == 0)
        try #require(mknod("\(directory)/whiteout", S_IFCHR | 0o600, 0) == 0)
        try #require(mknod("\(directory)/disk", S_IFBLK | 0o600, 0x700) == 0)
    }

    @Test("nothing in a layer is opened but directories, in whatever place it is")
    func opensDirectoriesAlone() async throws {
        try await withStore { world in
            let container = try world.container("web-1")
            let upper = world.store.upperDirectory(of: container)
            try FileManager.default.createDirectory(
                atPath: "\(upper)/a/b", withIntermediateDirectories: true)
            for directory in [upper, "\(upper)/a", "\(upper)/a/b"] { try makeKinds(in: directory) }
            // The kernel tells of each opening in a watched directory (IN_OPEN).
            let inotify = try Inotify()
            for directory in [upper, "\(upper)/a", "\(upper)/a/b"] {
                _ = try inotify.add(path: directory, mask: InotifyEvent.Mask(rawValue: 0x20))
            }
            func opened() throws -> [String] {
                var names: [String] = []
                _ = try inotify.drain { event in
                    if !event.mask.contains(.isDirectory), let name = event.name {
                        names.append(name.escaped)
                    }
                }
                return names
            }
            _ = try Data(contentsOf: URL(fileURLWithPath: "\(upper)/a/b/regular"))
            #expect(try opened() == ["regular"])
            try await withDaemon(["docker=\(world.root)"], configuration: PlainStore.rules) { daemon in
                func check() async throws {
                    let status = try await daemon.query.exactStatus()
                    let figures = try #require(status.containerFigures[container.id])
                    #expect(figures.disk == (try await DiskUsage.du(upper)))
                    #expect(try opened() == [])
                }
                try await check()
                // What was a directory is something else, and the other way round.
                for kind in ["fifo", "socket", "link", "null", "disk"]
                where access("\(upper)/a/\(kind)", F_OK) == 0 {
                    try #require(
                        FileCalls.exchange("\(upper)/a/\(kind)", "\(upper)/a/b") == 0)
                    try await check()
                    try #require(
                        FileCalls.exchange("\(upper)/a/\(kind)", "\(upper)/a/b") == 0)
                    try await check()
                }
            }
        }
    }

    @Test("directories that are swapped with links to others while the tracker looks lead nowhere")
    func swapped() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("plain")
            for layer in ["box", "other"] {
                for index in 0..<20 {
                    try scratch.directory("plain/\(layer)/d\(index)/deep")
                    try PlainStore.write(5_000, to: "\(root)/\(layer)/d\(index)/deep/file")
                }
            }
            for index in 0..<20 {
                let target = ["/usr", "\(root)/other", "..", "/proc/self/root"][index % 4]
                try #require(symlink(target, "\(root)/box/l\(index)") == 0)
            }
            try await DiskUsage.sync(root)
            try await withDaemon(["plain=\(root)"]) { daemon in
                let feed = try await FeedRecorder.start(daemon.query)
                let swapper = try await ChildProcess.start(
                    [
                        "perl", "-e",
                        """
                        chdir $ARGV[0]; my $n = 0;
                        while (1) {
                            my $i = int rand 20;
                            # renameat2(2) with RENAME_EXCHANGE
                            syscall(316, -100, my $d = "d$i", -100, my $l = "l$i", 2);
                            if ($n++ % 50 == 0) { mkdir "d$i/new$n"; rmdir "d$i/new$n"; select undef, undef, undef, 0.002 }
                        }
                        """, "\(root)/box",
                    ], diesWithParent: true)
                var most: Int64 = 0
                for _ in 0..<15 {
                    let status = try await daemon.query.status()
                    most = max(most, status.container(named: "box")?.sizeBytes ?? 0)
                }
                swapper.signal(SIGKILL)
                try await swapper.ended(within: .seconds(5))
                let told = feed.arrivals.compactMap { $0.event.container }.filter { $0.name == "box" }
                most = max(most, told.map(\.sizeBytes).max() ?? 0)
                // Twenty files, and links of at most a path.
                #expect(most < 20 * 5_000 + 20 * 4_096)
                let status = try await daemon.query.exactStatus()
                for layer in ["box", "other"] {
                    let walk = try await FullWalk.measure("\(root)/\(layer)")
                    #expect(status.container(named: layer)?.diskBytes == walk.diskBytes)
                    #expect(status.container(named: layer)?.sizeBytes == walk.sizeBytes)
                }
                try await feed.stop()
            }
        }
    }

    @Test(
        "sparse files whose sizes add up to more than a number holds stop at its end, which is told",
        .enabled(if: geteuid() == 0, "mounting needs root"))
    func sparse() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("plain")
            // It takes files of any size.
            try await PlainStore.mountMemory(on: root)
            try scratch.directory("plain/box")
            try scratch.directory("plain/crate")
            try PlainStore.write(300_000, to: "\(root)/box/data")
            try await withDaemon(["plain=\(root)"], configuration: PlainStore.rules) { daemon in
                let query = daemon.query
                let before = try await query.exactStatus()
                try await query.client(["mark", "before"]).expectDone()
                let sparse = (0..<6).map { "\(root)/\($0 % 2 == 0 ? "box" : "crate")/sparse\($0)" }
                for path in sparse {
                    try PlainStore.write(1_000, to: path)
                    try #require(truncate(path, off_t.max) == 0)
                }
                let status = try await query.status()
                let box = try #require(status.container(named: "box"))
                #expect(box.sizeBytes == .max)
                #expect(box.virtualSizeBytes == .max)
                #expect(box.diskBytes == (try await DiskUsage.du("\(root)/box")))
                #expect(box.reason?.contains("9223372036854775807") == true)
                #expect(status.totals.containers.sizeBytes == .max)
                #expect(try await query.client(["inspect", "box"]).out.contains("9223372036854775807"))
                for command in ["status", "containers", "df", "tree", "check", "alerts"] {
                    // A trap would be a signal's status.
                    #expect(try await query.client([command]).status <= 2, "\(command)")
                }
                let since = try await query.client(Since.self, "since", "before")
                #expect(since.containers.count == 2)
                #expect(try await query.client(["since", "before"]).status == 0)
                // It cannot keep itself from being judged so.
                #expect(status.alerts.map(\.container) == ["box"])
                for path in sparse { try #require(unlink(path) == 0) }
                let after = try #require(try await query.exactStatus().container(named: "box"))
                #expect(after.sizeBytes == before.container(named: "box")?.sizeBytes)
                #expect(after.reason == nil)
            }
        }
    }

    @Test(
        "names that are escape codes, line ends, no text or as long as can be are printed escaped everywhere")
    func names() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("plain")
            let evil = "\u{1B}[2J\u{7}evil\nMESSAGE=forged\r\u{202E}\\"
            let long = String(repeating: "\n", count: 255)
            for name in [evil, long] { try #require(mkdir("\(root)/\(name)", 0o755) == 0) }
            try await withDaemon(["plain=\(root)"], configuration: PlainStore.rules) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                let feed = try await FeedRecorder.start(query)
                for (index, name) in [evil, long].enumerated() {
                    var path = Array("\(root)/\(name)/".utf8).map { CChar(bitPattern: $0) }
                    path += (index == 0 ? Array("\u{1B}]0;title\u{7}\n".utf8) : [0xFF, 0x0A, 0xFE]).map {
                        CChar(bitPattern: $0)
                    }
                    let descriptor = open(path + [0], O_WRONLY | O_CREAT, 0o644)
                    try #require(descriptor >= 0)
                    defer { close(descriptor) }
                    let bytes = [UInt8](repeating: 1, count: 300_000)
                    try #require(Foundation.write(descriptor, bytes, bytes.count) == bytes.count)
                }
                try await wait(until: "both alerts") { try await query.status().alerts.count == 2 }
                let status = try await query.exactStatus()
                let ids = status.containers.map(\.id)
                #expect(ids.count == 2)
                for container in status.containers {
                    #expect(container.sizeBytes == 300_000)
                }
                var printed = [daemon.log]
                for command in [
                    ["status"], ["containers"], ["alerts"], ["df"], ["images"], ["tree"], ["check"],
                    ["mark", "here"], ["since", "here"], ["inspect", ids[0]], ["inspect", ids[1]],
                    ["inspect", "\u{1B}[2J"],
                ] {
                    let result = try await query.client(command)
                    printed += [result.out, result.err]
                }
                for text in printed {
                    // One is a line end; no other control is printed, nor what turns the direction of text.
                    let bad = text.unicodeScalars.filter {
                        $0.properties.generalCategory == .control && $0 != "\n"
                            || $0.properties.generalCategory == .format
                    }
                    #expect(bad.isEmpty, "\(FileName.escape(Array(text.utf8.prefix(2000))))")
                }
                #expect(!daemon.log.split(separator: "\n").contains { $0.hasPrefix("MESSAGE") })
                #expect(feed.unreadable.isEmpty)
                try await feed.stop()
            }
        }
    }

    @Test("as many names of one file as the file system gives are one file")
    func hardLinks() async throws {
        // The limit of ext4 is 65,000.
        let wanted = ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] == nil ? 6_000 : 70_000
        try await withScratch { scratch in
            let root = try scratch.directory("plain")
            try scratch.directory("plain/box")
            try PlainStore.write(10_000, to: "\(root)/box/0")
            try await DiskUsage.sync(root)
            try await withDaemon(["plain=\(root)"]) { daemon in
                func check() async throws {
                    let status = try await daemon.query.exactStatus(deadline: .seconds(60))
                    let walk = try await FullWalk.measure("\(root)/box")
                    #expect(status.containers.map(\.diskBytes) == [walk.diskBytes])
                    #expect(status.containers.map(\.sizeBytes) == [10_000])
                }
                try await check()
                var count = 1
                while count < wanted, link("\(root)/box/0", "\(root)/box/\(count)") == 0 { count += 1 }
                #expect(count == wanted || errno == EMLINK)
                try await check()
                for index in 0..<(count / 2) { try #require(unlink("\(root)/box/\(index)") == 0) }
                try await check()
                try #require(truncate("\(root)/box/\(count - 1)", 10_000) == 0)
                try await check()
            }
        }
    }
}
