import Accounting
import Foundation
import Testing
import UsageTestKit
import Wire

@Suite("the feed and marks against other answers of the same daemon")
struct FeedTests {
    /// Reads the feed by `curl` from behind an event until one matches.
    private func events(
        _ query: UsageQuery, after id: Int64, _ scratch: ScratchDirectory, name: String,
        until isLast: @escaping @Sendable (FeedEvent) -> Bool
    ) async throws -> [FeedEvent] {
        let child = try await ChildProcess.start(
            [
                "curl", "--silent", "--no-buffer", "--max-time", "30", "--unix-socket", query.socket,
                "--header", "Accept: application/x-ndjson", "--header", "Last-Event-ID: \(id)",
                "http://localhost/v1/feed",
            ], output: .file(scratch(name)), diesWithParent: true)
        defer { child.signal(SIGKILL) }
        return try await wait(for: "the last event after \(id)", deadline: .seconds(20)) {
            let lines = try String(contentsOfFile: scratch(name), encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false)
            let events = try lines.dropLast().map {
                try WireCoding.decode(FeedEvent.self, from: Data($0.utf8))
            }
            guard let end = events.firstIndex(where: isLast) else { return nil }
            return Array(events[...end])
        }
    }

    @Test("a reader that comes back by Last-Event-ID gets exactly what one that stayed got")
    func resume() async throws {
        try await withStore { world in
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                let stayed = try await FeedRecorder.start(query)
                let container = try world.container("web-1")
                for step in 1...12 {
                    try world.write(step * 10_000, to: "step\(step)", in: container)
                    let count = Int64(step * 10_000)
                    _ = try await stayed.first("the usage of step \(step)") {
                        $0.type == .usage && $0.change?.sizeBytes == count
                    }
                }
                let removed = try world.container("tool-1")
                try world.store.removeContainer(removed.id)
                let last = try await stayed.first("the removal") { $0.type == .containerRemoved }.event
                let told = stayed.arrivals.map(\.event).filter {
                    $0.type != .snapshot && $0.type != .heartbeat && $0.id <= last.id
                }
                let ids = told.map(\.id)
                #expect(ids.count >= 13)
                #expect(ids == Array((ids[0])..<(ids[0] + Int64(ids.count))), "each id is one more")
                for (name, start) in [("a", 0), ("b", ids.count / 2), ("c", ids.count - 2)] {
                    let missed = try await events(query, after: ids[start], world.scratch, name: name) {
                        $0.id == last.id && $0.type == .containerRemoved
                    }
                    #expect(missed == Array(told[(start + 1)...]))
                }
                try await stayed.stop()
            }
        }
    }

    @Test("an id of an earlier run gets a snapshot that says how much was lost")
    func earlierRun() async throws {
        try await withStore { world in
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                let first = try await events(query, after: 1, world.scratch, name: "old") { _ in true }
                #expect(first.map(\.type) == [.snapshot])
                #expect((first.first?.lost ?? 0) > 0)
                let status = try await query.exactStatus()
                #expect(first.first?.status?.images.map(\.id) == status.images.map(\.id))
            }
        }
    }

    @Test(
        "the figures of usage events are those of the next status, and their changes add up",
        arguments: [UInt64.random(in: 0...UInt64.max)])
    func usage(seed: UInt64) async throws {
        try await withStore { world in
            var random = SeededGenerator(seed: seed)
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let query = daemon.query
                let start = try await query.exactStatus()
                let feed = try await FeedRecorder.start(query)
                let from = feed.count
                let containers = world.store.containers.values.sorted { $0.id < $1.id }
                for _ in 0..<40 {
                    let container = try #require(containers.randomElement(using: &random))
                    try world.write(
                        .random(in: 0...80_000, using: &random),
                        to: "f\(Int.random(in: 0..<5, using: &random))", in: container)
                }
                let end = try await query.exactStatus()
                let walk = try await world.containerFigures()
                for container in containers {
                    let final = try #require(end.containers.first { $0.id == container.id })
                    let first = try #require(start.containers.first { $0.id == container.id })
                    #expect(final.sizeBytes == walk[container.id]?.size, "seed \(seed)")
                    guard final.sizeBytes != first.sizeBytes || final.diskBytes != first.diskBytes else {
                        continue
                    }
                    let size = final.sizeBytes
                    let disk = final.diskBytes
                    let id = container.id
                    _ = try await feed.first(from: from, "the last usage, seed \(seed)") {
                        $0.container?.id == id && $0.container?.sizeBytes == size
                            && $0.container?.diskBytes == disk
                    }
                    let events = feed.arrivals.dropFirst(from).map(\.event).filter {
                        $0.type == .usage && $0.container?.id == id
                    }
                    var sum = first.sizeBytes
                    for event in events {
                        sum += event.change?.sizeBytes ?? 0
                        #expect(event.container?.sizeBytes == sum, "seed \(seed)")
                    }
                    #expect(sum == size, "seed \(seed)")
                }
                try await feed.stop()
            }
        }
    }

    @Test("what changed since a mark is the difference of two lists of layers")
    func since() async throws {
        try await withStore { world in
            try await DiskUsage.sync(world.root)
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                let before = try await query.get(LayerList.self, "v1/layers")
                try await query.client(["mark", "release"]).expectDone()

                try world.write(700_000, to: "grown", in: try world.container("web-1"))
                try world.store.removeContainer(try world.container("tool-1").id)
                try world.store.removeImage(try world.image("tool:1").id)
                let built = try world.store.build(
                    [BuildStep("RUN new", content: LayerContent(files: [.init("new", size: 55_555)]))],
                    on: try world.image("web:2"), names: ["web:3"])
                let added = try world.store.addContainer(named: "web-3", on: built.last)
                _ = try await query.exactStatus()
                let since = try await query.client(Since.self, "since", "release")
                let after = try await query.get(LayerList.self, "v1/layers")
                #expect(since.exact)

                let old = Dictionary(uniqueKeysWithValues: before.layers.map { ($0.id, $0) })
                let new = Dictionary(uniqueKeysWithValues: after.layers.map { ($0.id, $0) })
                func figures(_ changes: [Since.LayerChange]) -> [String: [Int64]] {
                    Dictionary(uniqueKeysWithValues: changes.map { ($0.id, [$0.diskBytes, $0.sizeBytes]) })
                }
                let came = new.values.filter { $0.kind != "container" && old[$0.id] == nil }
                #expect(!came.isEmpty)
                #expect(
                    figures(since.layersAdded)
                        == Dictionary(
                            uniqueKeysWithValues: came.map { ($0.id, [$0.diskBytes, $0.sizeBytes]) }))
                let went = old.values.filter { $0.kind != "container" && new[$0.id] == nil }
                #expect(!went.isEmpty)
                #expect(
                    figures(since.layersRemoved)
                        == Dictionary(
                            uniqueKeysWithValues: went.map { ($0.id, [-$0.diskBytes, -$0.sizeBytes]) }))
                func sum(_ list: LayerList, _ bytes: KeyPath<Layer, Int64>) -> Int64 {
                    list.layers.reduce(0) { $0 + $1[keyPath: bytes] }
                }
                let disk = sum(after, \.diskBytes) - sum(before, \.diskBytes)
                let size = sum(after, \.sizeBytes) - sum(before, \.sizeBytes)
                #expect(since.totals == Since.Change(diskBytes: disk, sizeBytes: size))
                let kinds = Dictionary(uniqueKeysWithValues: since.containers.map { ($0.name, $0.change) })
                #expect(kinds == ["web-1": .changed, "tool-1": .removed, "web-3": .added])
                #expect(since.containers.first { $0.name == "web-1" }?.sizeBytes == 700_000)
                #expect(since.containers.first { $0.name == "web-3" }?.id == added.id)
            }
        }
    }

    @Test("a file with names in two stores is charged once over both")
    func hardLink() async throws {
        try await withStore { world in
            let plain = world.scratch("plain")
            let container = try world.container("web-1")
            try world.write(600_000, to: "shared", in: container)
            try world.scratch.directory("plain/box")
            try FileManager.default.linkItem(
                atPath: "\(world.store.upperDirectory(of: container))/shared", toPath: "\(plain)/box/shared")
            try world.scratch.write(String(repeating: "x", count: 10_000), to: "plain/box/own")
            try await DiskUsage.sync(world.root)
            try await withDaemon(["docker=\(world.root)", "plain=\(plain)"]) { daemon in
                let query = daemon.query
                let status = try await query.exactStatus()
                #expect(Set(status.sources.map(\.engine)) == ["docker", "plain"])
                let layers = try await query.get(LayerList.self, "v1/layers").layers
                #expect(layers.count == world.store.layers.count + 1)
                // One call counts an inode once, as the file system does.
                let charged = try await DiskUsage.du(layers.map(\.directory))
                #expect(layers.map(\.diskBytes).reduce(0, +) == charged.reduce(0, +))
                let uppers = layers.filter { $0.kind == "container" }.map(\.directory)
                #expect(
                    status.totals.containers.diskBytes
                        == (try await DiskUsage.du(uppers)).reduce(0, +))
                // Each by itself has all that lies in it.
                for (name, directory) in [
                    ("box", "\(plain)/box"), ("web-1", world.store.upperDirectory(of: container)),
                ] {
                    #expect(status.container(named: name)?.diskBytes == (try await DiskUsage.du(directory)))
                }
                let sharers = layers.filter { $0.sharedInodeBytes > 0 }
                #expect(sharers.count == 1)
                #expect((sharers.first?.sharedInodeBytes ?? 0) >= 600_000)

                // With one name gone, the other's layer has it alone.
                try FileManager.default.removeItem(atPath: "\(plain)/box/shared")
                _ = try await query.exactStatus()
                let after = try await query.get(LayerList.self, "v1/layers").layers
                #expect(after.allSatisfy { $0.sharedInodeBytes == 0 })
                #expect(
                    after.map(\.diskBytes).reduce(0, +)
                        == (try await DiskUsage.du(after.map(\.directory))).reduce(0, +))
            }
        }
    }
}
