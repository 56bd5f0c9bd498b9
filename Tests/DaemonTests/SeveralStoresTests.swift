import Accounting
import Foundation
import Testing
import UsageTestKit
import Wire

@Suite("stores side by side")
struct SeveralStoresTests {
    private static let rules = """
        alerts:
          - name: large
            kind: size
            limit: 1MB
            clear: 500kB
          - name: fast
            kind: growth
            window: 1h
            limit: 2MB
            clear: 1MB

        """

    private func write(_ bytes: Int, to path: String) throws {
        try Data(repeating: 0x61, count: bytes).write(to: URL(fileURLWithPath: path))
    }

    @Test("containers of one id in two stores have each their own growth, alerts, paths and changes")
    func twins() async throws {
        try await withScratch { scratch in
            let one = try scratch.directory("one")
            let two = try scratch.directory("two")
            try scratch.directory("one/web")
            try scratch.directory("two/web")
            try write(10_000, to: "\(one)/web/first")
            try write(20_000, to: "\(two)/web/first")
            try await DiskUsage.sync(one)
            // The order in which they are given is not that in which they are told.
            try await withDaemon(["plain=\(two)", "plain=\(one)"], configuration: Self.rules) { daemon in
                let query = daemon.query
                let start = try await query.exactStatus()
                #expect(start.sources.map(\.root) == [one, two])
                #expect(start.containers.map(\.root) == [one, two])
                try await query.client(["mark", "start"]).expectDone()

                try write(3_000_000, to: "\(two)/web/spill")
                try await wait(until: "two alerts") { try await query.status().alerts.count == 2 }
                var status = try await query.exactStatus()
                #expect(status.containers.map(\.growth.hour).first == 0)
                #expect((status.containers.last?.growth.hour ?? 0) >= 3_000_000)
                #expect(status.alerts.map(\.root) == [two, two])
                #expect(
                    status.alerts.allSatisfy { $0.top.first?.path == "/spill" }, "\(status.alerts)")

                try write(1_500_000, to: "\(one)/web/mine")
                try await wait(until: "a third alert") { try await query.status().alerts.count == 3 }
                status = try await query.exactStatus()
                #expect(status.alerts.filter { $0.root == one }.map(\.rule) == ["large"])
                let since = try await query.client(Since.self, "since", "start")
                #expect(since.containers.map(\.root) == [one, two])
                #expect(since.containers.map(\.sizeBytes) == [1_500_000, 3_000_000])
                #expect(since.containers.map(\.change) == [.changed, .changed])

                // The one's fall resolves nothing of the other.
                try FileManager.default.removeItem(atPath: "\(one)/web/mine")
                try await wait(until: "its end") { try await query.status().alerts.count == 2 }
                #expect(try await query.status().alerts.map(\.root) == [two, two])

                // All of it survives a restart.
                #expect(try await daemon.terminate() == 0)
                try await daemon.start()
                status = try await query.exactStatus()
                #expect(status.alerts.map(\.root) == [two, two])
                #expect((status.containers.last?.growth.hour ?? 0) >= 3_000_000)
                #expect((status.containers.first?.growth.hour ?? 0) < 1_000_000)
                let again = try await query.client(Since.self, "since", "start")
                #expect(again.containers.map(\.root) == [two])
                #expect(again.containers.map(\.sizeBytes) == [3_000_000])
            }
        }
    }

    @Test("an id that two stores hold is ambiguous, and each candidate names one of the two")
    func reference() async throws {
        try await withScratch { scratch in
            let roots = try ["one", "two"].map { try scratch.directory($0) }
            for root in roots {
                try scratch.directory(root.hasSuffix("one") ? "one/web" : "two/web")
            }
            try await withDaemon(roots.map { "plain=\($0)" }) { daemon in
                _ = try await daemon.query.exactStatus()
                let refused = try await daemon.query.client(["inspect", "web"])
                #expect(refused.status != 0)
                for root in roots {
                    #expect(refused.err.contains("web@\(root)"), "\(refused)")
                    let detail = try await daemon.query.client(
                        ContainerDetail.self, "inspect", "web@\(root)")
                    #expect(detail.container.root == root)
                    #expect(detail.layer?.directory == "\(root)/web")
                }
            }
        }
    }

    @Test("a mark that was not exact makes what is said since then not exact")
    func markExactness() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("store")
            try scratch.directory("store/web")
            try await withDaemon(["plain=\(root)"]) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                try await query.client(["mark", "right"]).expectDone()
                let odd = "\(root)/odd"
                // Its name is no UTF-8, which makes the store damaged.
                try await Command.output(["sh", "-c", "mkdir \"$(printf '\(odd)\\377')\""])
                try await wait(until: "the damage") { try await !query.status().exact }
                #expect(try await query.client(MarkSet.self, "mark", "wrong").exact == false)
                try await Command.output(["sh", "-c", "rmdir \"$(printf '\(odd)\\377')\""])
                _ = try await query.exactStatus()
                #expect(try await query.client(Since.self, "since", "right").exact)
                #expect(try await !query.client(Since.self, "since", "wrong").exact)
                // So it is after a restart.
                #expect(try await daemon.terminate() == 0)
                try await daemon.start()
                _ = try await query.exactStatus()
                #expect(try await query.client(Since.self, "since", "right").exact)
                #expect(try await !query.client(Since.self, "since", "wrong").exact)
            }
        }
    }

    @Test("after SIGKILL what a container grew by before its alert is known")
    func killed() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("store")
            try scratch.directory("store/web")
            try await DiskUsage.sync(root)
            try await withDaemon(["plain=\(root)"], configuration: Self.rules) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                try write(3_000_000, to: "\(root)/web/spill")
                try await wait(until: "the alerts") { try await query.status().alerts.count == 2 }
                // A mark is on the disk when it is set, and so is what was to be saved before it.
                try await query.client(["mark", "end"]).expectDone()
                try await daemon.kill()
                try await daemon.start()
                let status = try await query.exactStatus()
                #expect((status.containers.first?.growth.hour ?? 0) >= 3_000_000)
                #expect(status.alerts.count == 2)
            }
        }
    }

    @Test("each image has one record when it comes, and one more when it is renamed")
    func imageRecords() async throws {
        try await withStore { world in
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                func records(_ name: String) -> Int {
                    daemon.log.split(separator: "\n").count { $0.contains("image \(name) is there") }
                }
                // What was there at the start came with its store.
                #expect(records("web:2") == 0, "\(daemon.log)")
                let files = (0..<300).map { LayerContent.File("f\($0)", size: 10) }
                try world.store.build(
                    [BuildStep("ADD many", content: LayerContent(files: files))], names: ["many:1"])
                _ = try await query.exactStatus()
                #expect(records("many:1") == 1, "\(daemon.log)")

                try world.store.rename(image: try world.image("web:2").id, to: ["other:3"])
                try await wait(until: "the new name") { records("other:3") > 0 }
                // Read again and again, it is no news.
                try world.store.addContainer(named: "more", on: try world.image("tool:1"))
                _ = try await query.exactStatus()
                #expect(records("other:3") == 1)
                #expect(records("tool:1") == 0)
            }
        }
    }

    @Test("a store that detection no longer names is let go, and the new one is followed")
    func dataRootChanges() async throws {
        try await withStore { world in
            let other = try world.scratch.directory("other")
            let file = try world.scratch.write(#"{"data-root":"\#(world.root)"}"#, to: "daemon.json")
            try await withDaemon([], configuration: "docker:\n  daemon_json: \(file)\n") { daemon in
                let query = daemon.query
                let before = try await query.exactStatus()
                #expect(before.sources.map(\.root) == [world.root])
                #expect(before.containers.count == 3)
                let feed = try await FeedRecorder.start(query)

                // Half-written, it says nothing.
                try world.scratch.write("{", to: "daemon.json")
                try await Task.sleep(for: .seconds(12))
                #expect(try await query.status().sources.map(\.root) == [world.root])

                try world.scratch.write(#"{"data-root":"\#(other)"}"#, to: "daemon.json")
                let after = try await wait(for: "the other store alone", deadline: .seconds(40)) {
                    let status = try await query.status()
                    return status.sources.map(\.root) == [other] ? status : nil
                }
                #expect(after.containers.isEmpty && after.images.isEmpty)
                #expect(after.totals.containers.diskBytes == 0)
                _ = try await feed.first("a container's end") { $0.type == .containerRemoved }
                try await feed.stop()
                let records = daemon.log.split(separator: "\n").filter {
                    $0.contains("no longer") && $0.contains(world.root)
                }
                #expect(records.count == 1, "\(daemon.log)")
                #expect(!daemon.log.contains("was removed"), "\(daemon.log)")
            }
        }
    }

    @Test(
        "an engine that comes to keep its images in containerd is followed anew, and each byte has one class")
    func imagesGoToContainerd() async throws {
        try await withStore { world in
            let file = try world.scratch.write(#"{"data-root":"\#(world.root)"}"#, to: "daemon.json")
            try await withDaemon([], configuration: "docker:\n  daemon_json: \(file)\n") { daemon in
                let query = daemon.query
                let before = try await query.exactStatus()
                #expect(before.sources.map(\.driver) == ["overlay2"] && before.containers.count == 3)

                var store = try DockerSnapshotterBuilder(root: world.root)
                let layer = LayerContent(files: [.init("bin/sh", size: 300_000)])
                let image = try store.addImage("docker.io/library/new:1", [.init(layer)])
                let content = LayerContent(files: [.init("data", size: 200_000)])
                try store.addContainer(named: "new-1", on: image, content: content)
                try await wait(until: "the new driver", deadline: .seconds(40)) {
                    try await query.status().sources.map(\.driver) == ["overlayfs"]
                }
                let after = try await query.exactStatus()
                #expect(after.sources.map(\.root) == [world.root])
                #expect(after.containers.map(\.name) == ["new-1"])
                #expect(after.containers.map(\.sizeBytes) == [200_000])
                #expect(after.images.map(\.names) == [["new:1"]])
                // Of the layer below the container's own there is no total.
                try await DiskUsage.sync(world.root)
                let all = try await DiskUsage.du(world.root) - DiskUsage.du(store.differences(2))
                var sum: Int64 = 0
                do {
                    // The overhead is walked a moment after the metadata was read.
                    try await wait(until: "the sum of all classes") {
                        let totals = try await query.status().totals
                        sum = [
                            totals.imageLayers, totals.containers, totals.logs, totals.volumes,
                            totals.buildCache, totals.content, totals.inFlight, totals.orphans,
                            totals.overhead,
                        ].map(\.diskBytes).reduce(0, +)
                        return sum == all
                    }
                } catch {
                    throw WaitFailure(description: "\(error): \(sum) bytes, and du says \(all)")
                }
            }
        }
    }
}
