import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit
import Wire

@Suite("what the daemon keeps over a restart")
struct StateTests {
    private static let rules = """
        alerts:
          - name: large
            kind: size
            limit: 1MB
            clear: 500kB

        """

    @Test("after SIGKILL marks, firing alerts and measured layers are there, and no alert is told twice")
    func killed() async throws {
        try await withStore { world in
            try await DiskUsage.sync(world.root)
            try await withDaemon(["docker=\(world.root)"], configuration: Self.rules) { daemon in
                let query = daemon.query
                let start = try await query.exactStatus()
                let container = try world.container("web-1")
                try await query.client(["mark", "start"]).expectDone()
                try world.write(3_000_000, to: "spill", in: container)
                let alert = try await wait(for: "the alert") { try await query.status().alerts.first }
                // Blocks of what was written lately may still change, so such a layer is not kept yet.
                try await wait(until: "every image layer to be kept", deadline: .seconds(60)) {
                    try await query.status().counters.layersNotCached == 0
                }
                // A mark is on the disk when it is set, and so is what was to be saved before it.
                try await query.client(["mark", "end"]).expectDone()

                try await daemon.kill()
                try await daemon.start()
                let feed = try await FeedRecorder.start(query)
                let after = try await query.exactStatus()
                #expect(after.alerts.map(\.rule) == ["large"])
                #expect(after.alerts.map(\.state) == [.firing])
                #expect(after.alerts.map(\.since) == [alert.since])
                #expect(after.imageFigures == start.imageFigures)
                #expect(
                    after.containerFigures.mapValues(\.size)
                        == (try await world.containerFigures()).mapValues(\.size))
                #expect(after.counters.layersFromCache == Int64(after.totals.imageLayers.count))
                var directories: Int64 = 0
                for layer in world.store.layers.values where layer.kind != .image {
                    directories += try await FullWalk.measure(layer.directory).directories
                }
                for tree in DockerReader(root: world.store.root).read().facts.trees {
                    let isWhole = tree.entries.isEmpty
                    directories += isWhole ? try await FullWalk.measure(tree.directory).directories : 1
                }
                #expect(after.counters.directoriesRead == directories, "no image layer is read again")

                let since = try await query.client(Since.self, "since", "start")
                #expect(since.containers.map(\.id) == [container.id])
                #expect(since.containers.map(\.sizeBytes) == [3_000_000])
                #expect(since.layersAdded.isEmpty && since.layersRemoved.isEmpty)

                try world.write(0, to: "spill", in: container)
                _ = try await feed.first("the alert to resolve") { $0.alert?.state == .resolved }
                #expect(feed.arrivals.compactMap(\.event.alert).map(\.state) == [.resolved])
                try await feed.stop()
            }
        }
    }

    @Test("after SIGTERM the growth of the last hour is the same")
    func growth() async throws {
        try await withStore { world in
            try await DiskUsage.sync(world.root)
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let query = daemon.query
                let first = try await query.exactStatus()
                let container = try world.container("web-1")
                try world.write(2_000_000, to: "spill", in: container)
                let before = try await query.exactStatus()
                let grown = try #require(before.containers.first { $0.id == container.id })
                let known = try #require(first.containers.first { $0.id == container.id })
                #expect(grown.growth.hour == grown.diskBytes - known.diskBytes)
                #expect(grown.growth.hour >= 2_000_000)

                #expect(try await daemon.terminate() == 0)
                try await daemon.start()
                let after = try #require(
                    try await query.exactStatus().containers.first { $0.id == container.id })
                #expect(after.growth.hour == after.diskBytes - known.diskBytes)
                #expect(after.growth.day == after.growth.hour)
            }
        }
    }

    @Test("a database that is damaged is moved aside and told, and the daemon goes on")
    func damaged() async throws {
        try await withStore { world in
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                _ = try await daemon.query.exactStatus()
                #expect(try await daemon.terminate() == 0)
                let garbage = String(repeating: "no database\n", count: 1000)
                try daemon.directory.write(garbage, to: "state/state.db")
                try await daemon.start()
                let status = try await daemon.query.exactStatus()
                #expect(status.imageFigures.keys.sorted() == world.store.images.keys.sorted())

                let names = try FileManager.default.contentsOfDirectory(atPath: daemon.stateDirectory)
                let aside = try #require(names.first { $0.hasPrefix("state.db.damaged-") })
                let kept = try String(contentsOfFile: "\(daemon.stateDirectory)/\(aside)", encoding: .utf8)
                #expect(kept == garbage)
                let line = try #require(daemon.log.split(separator: "\n").first { $0.contains(aside) })
                #expect(line.contains("damaged"))
                #expect(line.contains("\(daemon.stateDirectory)/state.db"))

                try await daemon.query.client(["mark", "new"]).expectDone()
                #expect(try await daemon.terminate() == 0)
                try await daemon.start()
                _ = try await daemon.query.client(Since.self, "since", "new")
            }
        }
    }

    @Test("a state directory that is a file is told, and accounting and marks go on in memory")
    func isFile() async throws {
        try await withStore { world in
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                #expect(try await daemon.terminate() == 0)
                try FileManager.default.removeItem(atPath: daemon.stateDirectory)
                try daemon.directory.write("a file", to: "state")
                try await daemon.start()
                try await expectServiceInMemory(daemon, world)
                #expect(try String(contentsOfFile: daemon.stateDirectory, encoding: .utf8) == "a file")
                #expect(try await daemon.terminate() == 0)
            }
        }
    }

    /// Whether a small file system may be mounted.
    private static let mayMount = geteuid() == 0

    @Test(
        "a state directory on a full disk is told, and accounting and marks go on in memory",
        .enabled(if: mayMount, "needs root, to mount a small file system"))
    func fullDisk() async throws {
        try await withStore { world in
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                #expect(try await daemon.terminate() == 0)
                try await mountSmall(on: daemon.stateDirectory)
                try fill(daemon.stateDirectory)
                try await daemon.start()
                try await expectServiceInMemory(daemon, world)
                #expect(try await daemon.terminate() == 0)
            }
        }
    }

    @Test(
        "a disk that fills up refuses marks with a reason, and takes them when there is room again",
        .enabled(if: mayMount, "needs root, to mount a small file system"))
    func fillsUp() async throws {
        try await withStore { world in
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                #expect(try await daemon.terminate() == 0)
                try await mountSmall(on: daemon.stateDirectory)
                try await daemon.start()
                let query = daemon.query
                _ = try await query.exactStatus()
                try await query.client(["mark", "early"]).expectDone()
                let ballast = try fill(daemon.stateDirectory)

                // The log that SQLite keeps may have some room left.
                let refused = try await wait(for: "a mark to be refused") {
                    let result = try await query.client(["mark", "late"])
                    return result.status == 0 ? nil : result
                }
                #expect(refused.status == 1)
                #expect(refused.err.contains("late"), "\(refused)")
                #expect(refused.err.contains("full"), "\(refused)")
                _ = try await query.client(Since.self, "since", "early")
                let container = try world.container("web-1")
                try world.write(100_000, to: "later", in: container)
                let status = try await query.exactStatus()
                #expect(
                    status.containerFigures[container.id]?.size
                        == (try await world.containerFigures())[container.id]?.size)

                try FileManager.default.removeItem(atPath: ballast)
                try await wait(until: "a mark to be taken") {
                    try await query.client(["mark", "late"]).status == 0
                }
                #expect(try await daemon.terminate() == 0)
            }
        }
    }

    private func mountSmall(on directory: String) async throws {
        try await Command.output(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", directory])
    }

    /// Fills the file system of a directory to the last block, and returns the file that does.
    @discardableResult
    private func fill(_ directory: String) throws -> String {
        let path = "\(directory)/ballast"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 0x62, count: 4096)
        var written = 0
        while true {
            let count = Foundation.write(descriptor, block, block.count)
            if count <= 0 { break }
            written += count
        }
        try #require(errno == ENOSPC)
        try #require(written > 0)
        return path
    }

    private func expectServiceInMemory(_ daemon: UsagedProcess, _ world: StoreWorld) async throws {
        let query = daemon.query
        let status = try await query.exactStatus()
        #expect(status.containerFigures.keys.sorted() == world.store.containers.keys.sorted())
        let lines = daemon.log.split(separator: "\n").filter { $0.contains("kept in memory alone") }
        #expect(lines.count == 1, "\(daemon.log)")
        #expect(lines.first?.contains(daemon.stateDirectory) == true)
        try await query.client(["mark", "here"]).expectDone()
        let container = try world.container("web-1")
        try world.write(50_000, to: "later", in: container)
        let since = try await query.client(Since.self, "since", "here")
        #expect(since.containers.map(\.id) == [container.id])
        #expect(since.containers.map(\.sizeBytes) == [50_000])
    }
}
