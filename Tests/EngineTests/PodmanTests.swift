import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

/// Whether Podman's tests can run here.
private enum PodmanHost {
    static let canRun: Bool =
        ProcessInfo.processInfo.environment["USAGED_TEST_ENGINE"] == "required"
        || (geteuid() == 0
            && ["podman", "buildah", "busybox"].allSatisfy { name in
                ["/bin", "/usr/bin", "/usr/local/bin"].contains {
                    FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
                }
            })
}

/// The reader of containers-storage on stores that Podman and Buildah make.
@Suite(
    "on real Podman and Buildah (needs root, podman, buildah, busybox-static)", .serialized,
    .enabled(if: PodmanHost.canRun, "needs root, podman, buildah and busybox-static"))
struct PodmanTests {
    private func withEngine(_ driver: String, _ body: (PodmanEngine) async throws -> Void) async throws {
        let engine = try await PodmanEngine.make(driver: driver)
        do {
            try await body(engine)
        } catch {
            try? await engine.stop()
            throw error
        }
        try await engine.stop()
    }

    @Test("images, containers and volumes are those that the engine lists", arguments: ["overlay", "vfs"])
    func lists(driver: String) async throws {
        try await withEngine(driver) { engine in
            let app = try await engine.build("app", size: 300_000)
            try await engine.build("top", on: "localhost/app", size: 5000)
            try await engine.podman("tag", app, "localhost/other:2")
            let mount = "--volume=data:/data"
            try await engine.podman("create", "--name", "made", mount, "localhost/top", "sh")
            try await engine.start(
                "ran", image: "localhost/app", options: [mount, "--volume=/etc:/host:ro"],
                script: "head -c 70000 /dev/zero > /data/f; echo said; sleep 1000")
            let open = try await engine.buildah("from", "--pull-never", "localhost/app")

            let reader = ContainersStorageReader(root: engine.root)
            let facts = reader.read().facts
            #expect(facts.problems.isEmpty, "\(facts.problems)")
            #expect(facts.store.driver == driver)
            #expect(StoreConformance.flaws(of: facts) == [])
            #expect(reader.read().filesRead == 0)

            let images = try await engine.images()
            #expect(Set(facts.images.map(\.id)) == Set(images.map(\.id)))
            let declared = Dictionary(
                uniqueKeysWithValues: facts.layers.map { ($0.id, $0.declaredSizeBytes ?? 0) })
            for image in images {
                let ours = try #require(facts.images.first { $0.id == image.id })
                #expect(ours.names == image.names)
                #expect(ours.history.compactMap(\.layer) == ours.layers)
                // The engine adds what it keeps beside the image: manifests, configuration, signatures.
                let directory = "\(engine.root)/\(driver)-images/\(image.id)"
                let beside = try await FullWalk.measure(directory).sizeBytes
                #expect(ours.layers.map { declared[$0] ?? 0 }.reduce(0, +) + beside == image.size)
            }
            #expect(facts.images.first { $0.id == app }?.layers.count == 2)

            let containers = try await engine.containers()
            #expect(Set(facts.containers.map(\.name)) == Set(containers.map(\.name) + [open]))
            for container in containers {
                let ours = try #require(facts.containers.first { $0.id == container.id })
                #expect(ours.name == container.name)
                #expect(ours.isRunning == container.isRunning, "\(container)")
            }
            let ran = try #require(facts.containers.first { $0.name == "ran" })
            #expect(ran.mounts.first { $0.destination == "/data" }?.name == "data")
            #expect(ran.mounts.first { $0.destination == "/host" }?.kind == .bind)
            let log = try #require(facts.trees.first { $0.kind == .log && ran.trees.contains($0.id) })
            #expect(ran.logPath == log.directory + "/ctr.log")
            try await wait(until: "the log to be written") {
                try String(contentsOfFile: ran.logPath ?? "", encoding: .utf8).contains("said")
            }
            #expect(facts.volumes.map(\.name) == ["data"])
            let tree = try #require(facts.trees.first { $0.id == facts.volumes.first?.tree })
            #expect(try await FullWalk.measure(tree.directory).sizeBytes == 70_000)

            try await engine.podman("stop", "--time", "0", "ran")
            #expect(reader.read().facts.containers.first { $0.name == "ran" }?.isRunning == false)
        }
    }

    @Test("sizes of containers on overlayfs are the apparent sizes of their layers' directories")
    func containerSizes() async throws {
        try await withEngine("overlay") { engine in
            try await engine.build("app", size: 300_000)
            try await engine.start(
                "work", image: "localhost/app",
                script: """
                    mkdir -p /a/b; head -c 100000 /dev/zero > /a/b/f; ln /a/b/f /a/g; rm /srv/app; sleep 1000
                    """)
            let facts = ContainersStorageReader(root: engine.root).read().facts
            let ours = try #require(facts.containers.first)
            let directory = try #require(facts.layers.first { $0.id == ours.layer }).directory
            try await wait(until: "the container to have done its work") {
                try FileManager.default.attributesOfItem(atPath: directory + "/srv/app")[.type]
                    as? FileAttributeType
                    == .typeCharacterSpecial
            }
            let container = try #require(try await engine.containers().first)
            let walk = try await FullWalk.measure(directory)
            #expect(container.sizeRw == walk.sizeBytes)
            try await DiskUsage.sync(directory)
            #expect(try await DiskUsage.du(directory) == FullWalk.measure(directory).diskBytes)
            var all = walk.sizeBytes
            for layer in facts.layers where ours.chain.contains(layer.id) {
                all += try await FullWalk.measure(layer.directory).sizeBytes
            }
            // Podman 4 leaves the writable layer out, later ones add it.
            #expect([all, all - walk.sizeBytes].contains(container.sizeRootFS), "\(container), \(all)")
        }
    }

    @Test(
        "what the facts say belongs to an object is what the disk gains when the engine removes it, to the block",
        arguments: ["overlay", "vfs"], [UInt64.random(in: 0...UInt64.max)])
    func removal(driver: String, seed: UInt64) async throws {
        print("podman removal: driver \(driver), seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        try await withEngine(driver) { engine in
            var names = [PodmanEngine.base]
            for index in 0..<5 {
                let base = try #require(names.randomElement(using: &generator))
                try await engine.build(
                    "i\(index)", on: base, size: Int.random(in: 1...400_000, using: &generator))
                names.append("localhost/i\(index):latest")
            }
            for index in 0..<4 {
                let image = try #require(names.randomElement(using: &generator))
                let size = Int.random(in: 1...200_000, using: &generator)
                let script =
                    "head -c \(size) /dev/zero > /data/f; head -c \(size) /dev/zero > /f; echo \(index)"
                try await engine.start(
                    "c\(index)", image: image, options: ["--volume=v\(index):/data"], script: script)
                try await engine.podman("wait", "c\(index)")
            }
            try await engine.podman("create", "--name", "c4", PodmanEngine.base, "sh")
            let reader = ContainersStorageReader(root: engine.root)
            var volumes = (0..<4).map { "v\($0)" }
            // An image can go once no container is on it.
            var steps = (0..<5).map { "c\($0)" }.shuffled(using: &generator)
            steps += names.shuffled(using: &generator)
            for step in steps {
                try await settle(reader)
                let before = try await StorageBalance(reader.read().facts)
                #expect(before.facts.problems.isEmpty)
                #expect(before.sum == before.total, "seed \(seed), before \(step)")
                #expect(StoreConformance.flaws(of: before.facts) == [])
                let predicted: Int64
                if let container = before.facts.containers.first(where: { $0.name == step }) {
                    predicted = before.freed(by: container)
                    try await engine.podman("rm", step)
                } else {
                    let image = try #require(before.facts.images.first { $0.names.contains(step) })
                    predicted = before.freed(by: image)
                    try await engine.podman("rmi", step)
                }
                try await check(before, reader, predicted, "seed \(seed): \(step)")
                if Bool.random(using: &generator), let name = volumes.popLast(),
                    let now = try? await StorageBalance(reader.read().facts),
                    let volume = now.facts.volumes.first(where: { $0.name == name }),
                    !now.facts.containers.contains(where: { $0.mounts.contains { $0.name == name } })
                {
                    let predicted = now.freed(by: volume)
                    try await engine.podman("volume", "rm", name)
                    try await check(now, reader, predicted, "seed \(seed): \(name)")
                }
            }
            let left = reader.read().facts
            #expect(left.layers.isEmpty && left.images.isEmpty && left.containers.isEmpty)
        }
    }

    /// Waits until what the engine does behind a container that ended is done.
    private func settle(_ reader: ContainersStorageReader) async throws {
        try await wait(until: "no container to run") {
            !reader.read().facts.containers.contains(where: \.isRunning)
        }
    }

    private func check(
        _ before: StorageBalance, _ reader: ContainersStorageReader, _ predicted: Int64, _ what: String
    ) async throws {
        let after = try await StorageBalance(reader.read().facts)
        #expect(predicted > 0, "\(what)")
        // The lists and the database are no object's, and change with each.
        let lists = before.shared - after.shared
        #expect(abs(lists) <= 65536, "\(what)")
        #expect(before.total - after.total == predicted + lists, "\(what)")
        #expect(after.sum == after.total, "\(what)")
    }

    @Test("the store is found by its configuration")
    func detection() async throws {
        try await withEngine("overlay") { engine in
            let detection = ContainersStorageDetection(
                configurations: [engine.configuration], passwd: "/nonexistent/passwd")
            let (locations, problems) = ContainersStorageDetection.locations(detection)
            #expect(locations == [StoreLocation(kind: .containersStorage, path: engine.root)])
            #expect(problems.isEmpty)
            #expect(detection.surroundings(of: engine.root).runRoots == [engine.runRoot])
        }
    }
}
