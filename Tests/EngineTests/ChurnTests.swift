import Foundation
import Testing
import UsageTestKit
import Wire

extension EngineTests {
    @Suite("what comes and goes", .serialized)
    struct Churn {
        @Test("build, tag, run, stop, commit, rm, rmi and prune show within two seconds")
        func follow() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithBase()
            let query = try await world.daemon().query
            let feed = try await FeedRecorder.start(query)

            try await agree(engine, query, after: "the start")
            let small = "FROM \(EngineWorld.base)\nRUN echo one > /one\nRUN echo two > /two\nCMD [\"true\"]\n"
            try await engine.build(tag: "churn:1", dockerfile: small)
            try await agree(engine, query, after: "build")
            try await engine.docker("tag", "churn:1", "churn:also")
            try await agree(engine, query, after: "tag")
            let id = try await engine.runIdle(name: "churn-a", image: "churn:1")
            try await agree(engine, query, after: "run")
            try await engine.docker("rename", "churn-a", "churn-b")
            try await agree(engine, query, after: "rename")
            try await engine.docker("exec", "churn-b", "sh", "-c", "echo three > /three")
            try await engine.docker("commit", "churn-b", "churn:2")
            try await agree(engine, query, after: "commit")
            try await engine.docker("stop", "--time", "1", "churn-b")
            try await wait(until: "the container to be stopped in the status") {
                try await query.status().container(named: "churn-b")?.running == false
            }
            try await engine.docker("start", "churn-b")
            try await agree(engine, query, after: "start")
            try await engine.docker("rmi", "--force", "churn:also")
            try await agree(engine, query, after: "rmi of one of two names")
            try await engine.docker("rm", "--force", "churn-b")
            try await agree(engine, query, after: "rm")
            try await engine.docker("rmi", "churn:2", "churn:1")
            try await agree(engine, query, after: "rmi")
            try await engine.build(tag: "churn:3", dockerfile: small)
            try await engine.build(tag: "churn:3", dockerfile: small)
            _ = try await engine.docker("create", "--name", "churn-c", "churn:3")
            try await agree(engine, query, after: "a build that takes a name away")
            try await engine.docker("container", "prune", "--force")
            try await engine.docker("image", "prune", "--force")
            try await agree(engine, query, after: "prune")

            _ = try await feed.first("the container in the feed") {
                $0.type == .containerAdded && $0.container?.id == id
            }
            _ = try await feed.first("the container's end in the feed") {
                $0.type == .containerRemoved && $0.container?.id == id
            }
            _ = try await feed.first("an image in the feed") {
                $0.type == .imageAdded && $0.image?.names.contains("churn:3") == true
            }
            _ = try await feed.first("an image's end in the feed") { $0.type == .imageRemoved }
            #expect(feed.unreadable.isEmpty)
            try await feed.stop()
            try await engine.docker("rmi", "churn:3")
            let status = try await query.exactStatus()
            #expect(status.orphans.isEmpty, "everything belongs to the engine")
        }

        @Test("a container outlives its image's name and its image, and keeps its chain")
        func imageRemovedByForce() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithBase()
            let query = try await world.daemon().query
            try await engine.build(
                tag: "gone", dockerfile: "FROM \(EngineWorld.base)\nRUN head -c 2000000 /dev/zero > /two\n")
            _ = try await engine.runIdle(name: "gone", image: "gone")
            try await engine.docker("stop", "--time", "1", "gone")
            let image = try await engine.docker("image", "inspect", "--format", "{{.Id}}", "gone")
            let before = try await wait(for: "the container") {
                try await query.exactStatus().container(named: "gone")
            }
            try await engine.docker("rmi", "--force", "gone")
            try await wait(until: "the image to be gone from the status") {
                try await query.status().images.contains { $0.id == image.droppingAlgorithm } == false
            }
            let status = try await query.exactStatus()
            let after = try #require(status.container(named: "gone"))
            #expect(after.virtualSizeBytes == before.virtualSizeBytes)
            #expect(status.orphans.isEmpty, "its layers are still the container's")
            try await engine.docker("rm", "gone")
            try await agree(engine, query, after: "the container's end")
        }

        @Test("the daemon goes on answering, and exactly, when the engine is killed")
        func engineKilled() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithBase()
            let query = try await world.daemon().query
            _ = try await engine.runIdle(name: "survivor", image: EngineWorld.base)
            let files = ContainerFiles(processID: try await engine.processID(of: "survivor"))
            let upper = try await engine.upperDirectory(of: "survivor")
            let before = try await wait(for: "the container") {
                try await query.exactStatus().container(named: "survivor")
            }
            try await engine.kill()
            // The container's processes go on without the engine.
            try await files.append(3_000_000, to: "/tmp/without-engine")
            try await DiskUsage.sync(engine.dataRoot)
            let status = try await query.exactStatus()
            let after = try #require(status.container(named: "survivor"))
            #expect(after.sizeBytes == before.sizeBytes + 3_000_000)
            #expect(after.diskBytes == (try await DiskUsage.du(upper)))
            #expect(status.images.map(\.names).contains([EngineWorld.base]))
            try await engine.start()
            try await agree(engine, query, after: "the engine's new start")
            try await engine.docker("rm", "--force", "survivor")
            try await agree(engine, query, after: "the container's end")
        }

        /// Waits until the daemon's images, names and containers are the engine's.
        private func agree(_ engine: DockerEngine, _ query: UsageQuery, after what: String) async throws {
            let images = try await engine.images()
            let containers = try await engine.containers()
            var difference = ""
            do {
                try await wait(until: "the engine's images and containers", deadline: .seconds(2)) {
                    let status = try await query.status()
                    difference =
                        Self.difference(
                            "images", status.images.map { "\($0.id) \($0.names.sorted())" },
                            images.map { "\($0.id) \($0.names)" })
                        + Self.difference(
                            "containers", status.containers.map { "\($0.id) \($0.name)" },
                            containers.map { "\($0.id) \($0.name)" })
                    return difference.isEmpty
                }
            } catch {
                Issue.record("\(error) after \(what): \(difference)")
            }
        }

        private static func difference(_ what: String, _ ours: [String], _ engine: [String]) -> String {
            let ours = Set(ours)
            let engine = Set(engine)
            guard ours != engine else { return "" }
            return "\(what) of the daemon alone \(ours.subtracting(engine).sorted()), "
                + "of the engine alone \(engine.subtracting(ours).sorted()); "
        }
    }
}
