import Accounting
import Foundation
import Testing
import UsageTestKit
import Wire

/// What the host does to the ground under a store that is followed.
@Suite("mounts and renames under a store", .enabled(if: geteuid() == 0, "mounting needs root"))
struct MountTests {
    /// How a disk goes away.
    enum Leaving: String, CaseIterable {
        case unmount = "one of its mounts is unmounted"
        case lazily = "one of its mounts is unmounted while a file is open there"
        case last = "its last mount is unmounted"
    }

    /// Waits for an exact answer and compares it with walks by path over the layers that must be there.
    private func check(_ query: UsageQuery, _ root: String, _ layers: [String]) async throws {
        let status = try await PlainStore.check(query, root)
        #expect(status.containers.map(\.name) == layers)
    }

    @Test(
        "a disk can be unmounted while it is followed; its figures are stale with a reason until it is back",
        arguments: Leaving.allCases)
    func unmounted(leaving: Leaving) async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("root")
            let disk = leaving == .last ? root : try scratch.directory("disk")
            try await PlainStore.mountMemory(on: disk)
            if leaving != .last { try await Command.output(["mount", "--bind", disk, root]) }
            try PlainStore.write(300_000, to: "\(disk)/box/deep/down/a")
            try PlainStore.write(5_000, to: "\(disk)/crate/a")
            try await withDaemon(["plain=\(root)"], configuration: PlainStore.rules) { daemon in
                let query = daemon.query
                try await check(query, root, ["box", "crate"])
                let before = try await query.exactStatus()
                let feed = try await FeedRecorder.start(query)
                let start = feed.count

                let holder = leaving == .lazily ? open("\(root)/box/deep/down/a", O_RDONLY) : -1
                defer { if holder >= 0 { close(holder) } }
                try await Command.output(["umount"] + (leaving == .lazily ? ["--lazy"] : []) + [root])
                let gone = try await query.status()
                #expect(!gone.exact)
                #expect(gone.sources.map(\.state) == [.stale])
                #expect(gone.sources.first?.reason?.contains(root) == true)
                #expect(gone.containers.map(\.state) == [.stale, .stale])
                #expect(gone.containers.map(\.diskBytes) == before.containers.map(\.diskBytes))
                #expect(gone.alerts.map(\.container) == ["box"])
                #expect(try await query.client(["status"]).out.contains("not exact"))

                if leaving == .last {
                    try await PlainStore.mountMemory(on: root)
                    try PlainStore.write(250_000, to: "\(root)/box/deep/other")
                    try PlainStore.write(1_000, to: "\(root)/crate/a")
                } else {
                    try PlainStore.write(90_000, to: "\(disk)/crate/b")
                    try await Command.output(["mount", "--bind", disk, root])
                }
                try await check(query, root, ["box", "crate"])
                try PlainStore.write(70_000, to: "\(root)/crate/c")
                try await check(query, root, ["box", "crate"])
                let told = feed.arrivals.dropFirst(start).map(\.event)
                #expect(!told.contains { $0.type == .containerRemoved || $0.type == .alert }, "\(told)")
                try await feed.stop()
            }
        }
    }

    @Test("a mount over the root is seen without an event, and so is its end")
    func covered() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("root")
            try PlainStore.write(300_000, to: "\(root)/box/a")
            try PlainStore.write(5_000, to: "\(root)/crate/a")
            try await DiskUsage.sync(root)
            try await withDaemon(["plain=\(root)"]) { daemon in
                try await check(daemon.query, root, ["box", "crate"])
                try await PlainStore.mountMemory(on: root)
                try PlainStore.write(10_000, to: "\(root)/box/b")
                try await check(daemon.query, root, ["box"])
                try PlainStore.write(20_000, to: "\(root)/box/c")
                try await check(daemon.query, root, ["box"])
                try await Command.output(["umount", root])
                try await check(daemon.query, root, ["box", "crate"])

                // Of one layer's directory alone.
                try await PlainStore.mountMemory(on: "\(root)/crate")
                try PlainStore.write(10_000, to: "\(root)/crate/b")
                try await check(daemon.query, root, ["box", "crate"])
                try await Command.output(["umount", "\(root)/crate"])
                try await check(daemon.query, root, ["box", "crate"])
            }
        }
    }

    @Test("an empty mount over a Docker store keeps its objects stale, and they are exact when it goes")
    func coveredStore() async throws {
        try await withStore { world in
            try await DiskUsage.sync(world.root)
            let containers = try await world.containerFigures()
            let images = try await world.imageFigures()
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                _ = try await daemon.query.exactStatus()
                for path in [world.root, "\(world.root)/overlay2", "\(world.root)/image"] {
                    try await PlainStore.mountMemory(on: path)
                    let status = try await daemon.query.status()
                    #expect(!status.exact, "\(path)")
                    #expect(status.sources.map(\.state) == [.stale], "\(path)")
                    #expect(status.imageFigures == images, "\(path)")
                    #expect(status.containerFigures == containers, "\(path)")
                    try await Command.output(["umount", path])
                    let healed = try await daemon.query.exactStatus()
                    #expect(healed.imageFigures == images, "\(path)")
                    #expect(healed.containerFigures == containers, "\(path)")
                }
            }
        }
    }

    @Test("a directory above the root that is renamed, with another in its place, is seen")
    func renamedAbove() async throws {
        try await withScratch { scratch in
            let root = "\(scratch.path)/above/root"
            try PlainStore.write(300_000, to: "\(root)/box/a")
            try await DiskUsage.sync(scratch.path)
            try await withDaemon(["plain=\(root)"]) { daemon in
                try await check(daemon.query, root, ["box"])
                try #require(rename(scratch("above"), scratch("aside")) == 0)
                try PlainStore.write(10_000, to: "\(root)/box/b")
                try PlainStore.write(1_000, to: "\(root)/crate/b")
                try await check(daemon.query, root, ["box", "crate"])
                // What lies elsewhere by now is nobody's.
                try PlainStore.write(500_000, to: scratch("aside/root/box/a"))
                try PlainStore.write(20_000, to: "\(root)/crate/b")
                try await check(daemon.query, root, ["box", "crate"])
            }
        }
    }

    @Test("what is mounted inside a layer counts as du -x counts it, from the mount to its end")
    func inside() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("root")
            try PlainStore.write(300_000, to: "\(root)/box/sub/deep/a")
            try PlainStore.write(5_000, to: "\(root)/crate/a")
            try PlainStore.write(40_000, to: scratch("other/more/b"))
            try await DiskUsage.sync(root)
            try await withDaemon(["plain=\(root)"]) { daemon in
                let sub = "\(root)/box/sub"
                func check() async throws {
                    let status = try await daemon.query.exactStatus()
                    for container in status.containers {
                        let bytes = try await DiskUsage.du("\(root)/\(container.name)")
                        #expect(container.diskBytes == bytes, "\(container.name)")
                    }
                }
                try await check()
                let mounts = [
                    ["-t", "tmpfs", "tmpfs", sub], ["--bind", scratch("other"), sub],
                    ["--bind", "\(root)/box", sub],
                ]
                for mount in mounts {
                    try await Command.output(["mount"] + mount)
                    try await check()
                    try PlainStore.write(30_000, to: "\(root)/box/later")
                    if mount[0] == "--bind" { try PlainStore.write(20_000, to: scratch("other/more/c")) }
                    try await check()
                    let batches = try await daemon.query.status().counters.batches
                    try await check()
                    // One that cannot be looked at may not keep the daemon busy.
                    #expect(try await daemon.query.status().counters.batches - batches < 100)
                    try await Command.output(["umount", sub])
                    try await check()
                    try PlainStore.write(0, to: "\(root)/box/later")
                    try await check()
                }
            }
        }
    }

    @Test("a link that takes the place of a layer's directory leads nowhere")
    func link() async throws {
        try await withStore { world in
            try await DiskUsage.sync(world.root)
            let container = try world.container("web-1")
            let upper = world.store.upperDirectory(of: container)
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let before = try await daemon.query.exactStatus()
                try #require(rename(upper, upper + ".aside") == 0)
                try #require(symlink("/usr", upper) == 0)
                let status = try await daemon.query.status()
                #expect(!status.exact)
                let found = try #require(status.containers.first { $0.id == container.id })
                #expect(found.state == .stale || found.state == .damaged)
                #expect(found.diskBytes == before.containerFigures[container.id]?.disk)
                try #require(unlink(upper) == 0)
                try #require(rename(upper + ".aside", upper) == 0)
                #expect(try await daemon.query.exactStatus().containerFigures == before.containerFigures)
            }
        }
    }
}
