import Accounting
import Stores
import Testing
import UsageTestKit
import Wire

extension EngineTests {
    @Suite("restarts of the daemon", .serialized)
    struct Restart {
        @Test(
            "after SIGKILL or SIGTERM the figures are the same and no image layer is read again",
            arguments: [true, false])
        func sameFigures(byKill: Bool) async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithImages()
            let daemon = try await world.daemon()
            let query = daemon.query
            _ = try await engine.runIdle(name: "restart", image: EngineWorld.zigiweb)
            try await engine.docker(
                "exec", "restart", "sh", "-c", "mkdir -p /data/a/b; head -c 700000 /dev/zero > /data/a/b/f")
            try await DiskUsage.sync(engine.dataRoot)
            let before = try await wait(for: "the container's bytes") {
                let status = try await query.exactStatus()
                return (status.container(named: "restart")?.sizeBytes ?? 0) >= 700_000 ? status : nil
            }
            // Blocks of what was written lately may still change, so such a layer is not cached yet.
            try await wait(until: "every image layer to be in the cache", deadline: .seconds(60)) {
                let counters = try await query.status().counters
                return counters.layersNotCached == 0 && counters.layersSettling == 0
            }
            #expect(before.counters.layersFromCache == 0)
            #expect(before.counters.layersMeasured >= Int64(before.totals.imageLayers.count))
            if byKill {
                try await daemon.kill()
            } else {
                #expect(try await daemon.terminate() == 0)
            }
            // What is written while nobody looks is found.
            try await engine.docker("exec", "restart", "sh", "-c", "head -c 1000 /dev/zero > /data/more")
            try await DiskUsage.sync(engine.dataRoot)
            try await daemon.start()

            let after = try await query.exactStatus()
            #expect(after.images == before.images)
            #expect(after.totals.imageLayers == before.totals.imageLayers)
            #expect(after.orphans == before.orphans)
            for old in before.containers {
                let new = try #require(after.containers.first { $0.id == old.id })
                let written: Int64 = old.name == "restart" ? 1000 : 0
                #expect(new.sizeBytes == old.sizeBytes + written)
                #expect(
                    new.diskBytes == (try await DiskUsage.du(engine.upperDirectory(of: old.name))))
            }

            let layers = try await query.get(LayerList.self, "v1/layers").layers
            var directories: Int64 = 0
            for layer in layers where layer.kind != "image" {
                directories += try await FullWalk.measure(layer.directory).directories
            }
            let trees = DockerReader(root: engine.dataRoot).read().facts.trees
            for tree in trees where tree.entries.isEmpty {
                directories += try await FullWalk.measure(tree.directory).directories
            }
            // A log is followed in its container's directory, of which nothing else counts.
            directories += Int64(trees.count { !$0.entries.isEmpty })
            #expect(after.counters.layersFromCache == Int64(after.totals.imageLayers.count))
            #expect(
                after.counters.directoriesRead == directories,
                "those of writable and init layers, logs and volumes")
            try await engine.docker("rm", "--force", "restart")
        }

        @Test("a healthy store is one exact source with its driver and root, without problems")
        func source() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithBase()
            let daemon = try await world.daemon()
            let status = try await daemon.query.exactStatus()
            #expect(status.sources.map(\.root) == [engine.dataRoot])
            #expect(status.sources.map(\.driver) == ["overlay2"])
            #expect(status.sources.map(\.engine) == ["docker"])
            #expect(status.sources.map(\.state) == [.exact])
            #expect(status.sources.allSatisfy { $0.problems.isEmpty })
        }
    }
}
