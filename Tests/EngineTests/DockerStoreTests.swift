import Accounting
import Foundation
import Kernel
import Stores
import Testing
import UsageTestKit

/// Runs `body` with an engine of its own that has the image `small:1`, and removes both afterwards.
private func withEngine(
    driver: String, dataRoot: String? = nil, _ body: (DockerEngine) async throws -> Void
) async throws {
    let engine = try await DockerEngine.start(driver: driver, dataRoot: dataRoot)
    do {
        let tar = try await SmallRoot.tar(in: engine.directory)
        try await engine.docker("import", tar, "small:1")
        try await body(engine)
    } catch {
        try? await engine.stop()
        throw error
    }
    try await engine.stop()
}

extension DockerEngine {
    /// What a new reader says; without the waiting that an orphan needs, it is named or not.
    fileprivate func facts(orphanSeconds: Double = 600) async throws -> StoreFacts {
        let options = StoreOptions(graceSeconds: 0, orphanSeconds: orphanSeconds)
        return try await onThread { [dataRoot] in
            DockerReader(root: dataRoot, options: options).read().facts
        }
    }

    fileprivate func storeWalk(_ facts: StoreFacts) async throws -> StoreWalk {
        try await DiskUsage.sync(dataRoot)
        return try await onThread { try StoreWalk(facts) }
    }

    /// `du -s` over all file systems below, as subvolumes of btrfs look like such.
    fileprivate func wholeUsage() async throws -> Int64 {
        try await DiskUsage.sync(dataRoot)
        let text = try await Command.output(["du", "--summarize", "--block-size=1", dataRoot])
        return try #require(Int64(text.prefix { $0.isNumber }))
    }
}

extension EngineTests {
    @Suite("all that a data root holds", .serialized)
    struct DockerStore {
        @Test("volumes are the engine's, and their sizes those of docker system df where it has one")
        func volumes() async throws {
            try await withEngine(driver: "overlay2") { engine in
                try await engine.docker("volume", "create", "--label", "tier=db", "plain")
                try await engine.docker(
                    "volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "memory")
                try await engine.docker(
                    "run", "--name", "writer", "--network", "none", "-v", "plain:/p", "-v", "memory:/m", "-v",
                    "/anonymous", "-v", "/usr/share:/host:ro", "small:1", "sh", "-c",
                    "dd if=/dev/zero of=/p/file bs=1000 count=70 2>/dev/null; ln /p/file /p/other; "
                        + "mkdir /anonymous/d; echo x > /anonymous/d/x; dd if=/dev/zero of=/m/z bs=1000 count=9 2>/dev/null"
                )
                let facts = try await engine.facts()
                #expect(facts.problems == [])
                #expect(StoreConformance.flaws(of: facts) == [])
                let theirs = try await engine.volumesAndCache().volumes
                // Of what has options it does not tell.
                #expect(Set(facts.volumes.map(\.name)) == Set(theirs.map(\.name) + ["memory"]))
                let listed = try await engine.docker("volume", "ls", "--quiet").split(separator: "\n")
                #expect(Set(facts.volumes.map(\.name)) == Set(listed.map(String.init)))
                let walk = try await engine.storeWalk(facts)
                for volume in theirs {
                    let ours = try #require(facts.volumes.first { $0.name == volume.name })
                    #expect(ours.labels == volume.labels)
                    #expect(ours.isAnonymous == (volume.name.count == 64))
                    let tree = try #require(ours.tree)
                    #expect(facts.trees.first { $0.id == tree }?.directory == volume.mountpoint)
                    #expect(walk.sizes[tree] == volume.size, "\(volume.name)")
                }
                #expect(facts.volumes.first { $0.name == "memory" }?.tree == nil)
                #expect(walk.sizes["volume:plain"] == 70_000)
                let container = try #require(facts.containers.first { $0.name == "writer" })
                #expect(
                    Set(container.mounts.compactMap(\.name)) == Set(facts.volumes.map(\.name)))
                #expect(container.mounts.first { $0.kind == .bind }?.source == "/usr/share")
                // While it runs, its tmpfs is mounted, and counts nowhere.
                try await engine.docker("start", "writer")
                _ = try await engine.runIdle(name: "idle", image: "small:1", options: ["-v", "memory:/m"])
                let running = try await engine.facts()
                #expect(StoreConformance.flaws(of: running) == [])
                #expect(running.volumes.map(\.tree) == facts.volumes.map(\.tree))
            }
        }

        @Test("logs of both drivers are in the container's tree, with what was rotated")
        func logs() async throws {
            try await withEngine(driver: "overlay2") { engine in
                let lines = "for n in $(seq 2000); do echo line $n is said here; done"
                try await engine.docker(
                    "run", "--name", "json", "--network", "none", "--log-opt", "max-size=20k", "--log-opt",
                    "max-file=3", "small:1", "sh", "-c", lines)
                try await engine.docker(
                    "run", "--name", "local", "--network", "none", "--log-driver", "local", "--log-opt",
                    "max-size=20k", "small:1", "sh", "-c", lines)
                try await engine.docker(
                    "run", "--name", "none", "--network", "none", "--log-driver", "none", "small:1", "sh",
                    "-c", ":")
                let facts = try await engine.facts()
                #expect(facts.problems == [])
                #expect(StoreConformance.flaws(of: facts) == [])
                let walk = try await engine.storeWalk(facts)
                for (name, pattern) in [
                    ("json", "*json.log*"), ("local", "local-logs/*"), ("none", "*json.log*"),
                ] {
                    let container = try #require(facts.containers.first { $0.name == name })
                    let tree = try #require(container.trees.first)
                    let files = try await Command.output(
                        ["sh", "-c", "cat \(engine.dataRoot)/containers/\(container.id)/\(pattern) | wc -c"])
                    let bytes = Int64(files.trimmingCharacters(in: .whitespacesAndNewlines))
                    #expect(walk.sizes[tree] == bytes, "\(name)")
                    if name == "none" { #expect(bytes == 0) } else { #expect(bytes ?? 0 > 20_000) }
                }
            }
        }

        @Test("a build with BuildKit is build cache while it runs and after it, and never an orphan")
        func buildKit() async throws {
            try await withEngine(driver: "overlay2") { engine in
                let dockerfile = """
                    FROM small:1
                    RUN dd if=/dev/zero of=/a bs=1000 count=3000 && sleep 12
                    RUN dd if=/dev/zero of=/b bs=1000 count=500 && mkdir -p /x/y && rm /bin/touch
                    CMD ["sh"]
                    """
                let build = Task {
                    try await engine.buildWithBuildKit(tag: "built:1", dockerfile: dockerfile)
                }
                var last = ""
                let running: LayerFact
                do {
                    running = try await wait(for: "a step that runs", deadline: .seconds(30)) {
                        let facts = try await engine.facts(orphanSeconds: 2)
                        #expect(!facts.layers.contains { $0.kind == .orphan })
                        last =
                            "\(facts.layers.map { ($0.kind, $0.isWritable, $0.directory) }), \(facts.problems)"
                        let written = facts.layers.filter { layer in
                            FileManager.default.fileExists(atPath: layer.directory + "/a")
                        }
                        return written.first { $0.kind == .buildCache && $0.isWritable }
                    }
                } catch {
                    Issue.record("\(error); last: \(last); build: \(await build.result)")
                    return
                }
                #expect(running.mount != nil)
                try await wait(until: "the build to be seen to its end", deadline: .seconds(60)) {
                    let facts = try await engine.facts(orphanSeconds: 2)
                    #expect(!facts.layers.contains { $0.kind == .orphan }, "\(facts.layers)")
                    return facts.images.contains { $0.names == ["built:1"] }
                }
                _ = try await build.value
                // Nothing of it is orphaned, however old it is.
                let built = try await engine.facts(orphanSeconds: 0)
                #expect(built.problems == [])
                #expect(!built.layers.contains { [.orphan, .inFlight].contains($0.kind) }, "\(built.layers)")
                #expect(StoreConformance.flaws(of: built) == [])
                let image = try #require(built.images.first { $0.names == ["built:1"] })
                #expect(image.layers.count == 3)
                #expect(built.layers.count { $0.kind == .image } == 3)
                #expect(
                    Set(built.layers.filter(\.isCached).map(\.id)).isSuperset(of: image.layers.dropFirst()))

                // Without the image, its layers stay for the cache's sake.
                try await engine.docker("rmi", "built:1")
                let cached = try await engine.facts(orphanSeconds: 0)
                #expect(!cached.layers.contains { [.orphan, .inFlight].contains($0.kind) })
                let cache = cached.layers.filter { $0.kind == .buildCache }
                #expect(Set(cache.map(\.id)).isSuperset(of: image.layers.dropFirst()))
                // BuildKit notes the sizes that it is asked for in its databases.
                let theirs = try await engine.volumesAndCache().cache.filter { !$0.isShared }
                let walk = try await engine.storeWalk(cached)
                #expect(
                    cache.compactMap { walk.sizes[$0.id] }.reduce(0, +) == theirs.map(\.size).reduce(0, +))

                let before = try await engine.wholeUsage()
                try await engine.docker("builder", "prune", "--all", "--force")
                let pruned = try await engine.facts(orphanSeconds: 0)
                #expect(
                    !pruned.layers.contains { [.orphan, .buildCache].contains($0.kind) }, "\(pruned.layers)")
                let after = try await engine.storeWalk(pruned)
                let gone = walk.bytes(goneFrom: cached, to: pruned)
                #expect(gone > 3_500_000)
                let now = try await engine.wholeUsage()
                #expect(
                    before - now == gone + walk.databases - after.databases
                        + walk.rest - after.rest)
                #expect(after.rest == walk.rest)
            }
        }

        @Test("what a killed build or pull leaves is an orphan once it is old enough")
        func orphans() async throws {
            try await withEngine(driver: "overlay2") { engine in
                try await engine.docker(
                    "run", "--name", "cut", "--network", "none", "small:1", "sh", "-c", ":")
                let facts = try await engine.facts()
                let container = try #require(facts.containers.first)
                // The engine forgets the container, as after a removal that was cut short.
                try await engine.kill()
                for path in ["image/overlay2/layerdb/mounts/\(container.id)", "containers/\(container.id)"] {
                    try FileManager.default.removeItem(atPath: "\(engine.dataRoot)/\(path)")
                }
                try await engine.start()
                let young = try await engine.facts()
                #expect(young.layers.count { $0.kind == .inFlight } == 2)
                let old = try await engine.facts(orphanSeconds: 0)
                #expect(
                    Set(old.layers.filter { $0.kind == .orphan }.map(\.id))
                        == [container.layer, container.initLayer])
                for facts in [young, old] { #expect(StoreConformance.flaws(of: facts) == []) }
            }
        }

        @Test(
            "removing random objects gives back what the facts said belonged to them, to the block",
            arguments: [("overlay2", UInt64(1)), ("overlay2", 2), ("vfs", 3)])
        func reclaim(driver: String, seed: UInt64) async throws {
            try await withEngine(driver: driver) { engine in
                try await removeAtRandom(engine, seed)
            }
        }

        @Test(
            "a store on btrfs is read with its subvolumes, and each removal gives back what it should",
            .enabled(if: LoopFileSystem.Kind.btrfs.obstacle == nil, "needs loop devices and mkfs.btrfs"))
        func btrfs() async throws {
            try await LoopFileSystem.with(.btrfs) { system in
                try await withEngine(driver: "btrfs", dataRoot: system.path + "/root") { engine in
                    try await removeAtRandom(engine, 4)
                }
            }
        }

        private func removeAtRandom(_ engine: DockerEngine, _ seed: UInt64) async throws {
            var generator = SeededGenerator(seed: seed)
            let bases = try await engine.buildAtRandom(
                (0..<4).map { "image\($0)" }, on: "small:1", &generator)
            var victims = bases.dropFirst().map { ["rmi", $0] }
            for index in 0..<3 {
                let image = bases.randomElement(using: &generator) ?? "small:1"
                try await engine.docker(
                    "run", "--name", "c\(index)", "--network", "none", "-v", "v\(index):/v", "-v", "/anon",
                    image,
                    "sh", "-c", "seq 5000; seq 20000 > /v/n; seq 100 > /w; rm -f /bin/ln; echo > /anon/x")
                victims.append(["rm", "--volumes", "c\(index)"])
            }
            let whole = try await engine.facts()
            #expect(whole.problems == [])
            #expect(whole.store.driver == engine.driver)
            #expect(StoreConformance.flaws(of: whole) == [], "seed \(seed)")
            try await compareSizes(whole, engine)
            victims.shuffle(using: &generator)
            // An image that a container uses stays until that is gone.
            victims.sort { $0[0] != "rmi" && $1[0] == "rmi" }
            victims += (0..<3).map { ["volume", "rm", "v\($0)"] }
            var facts = whole
            var sum: Int64 = 0
            for command in victims {
                let walk = try await engine.storeWalk(facts)
                let before = try await engine.wholeUsage()
                #expect(walk.total == before, "\(command), seed \(seed)")
                try await engine.docker(command)
                let next = try await engine.facts()
                #expect(next.problems == [])
                let after = try await engine.storeWalk(next)
                let gone = walk.bytes(goneFrom: facts, to: next)
                // What others are built on stays, and loses a name.
                sum += gone
                let now = try await engine.wholeUsage()
                #expect(
                    before - now == gone + walk.databases - after.databases,
                    "\(command), seed \(seed)")
                facts = next
            }
            #expect(facts.containers.isEmpty && facts.volumes.isEmpty && sum > 100_000)
            #expect(facts.images.map(\.names) == [["small:1"]])
        }

        /// The engine's figures where they are right: with overlayfs, of what a layer itself holds.
        private func compareSizes(_ facts: StoreFacts, _ engine: DockerEngine) async throws {
            let walk = try await engine.storeWalk(facts)
            let images = try await engine.images()
            #expect(Set(facts.images.map(\.id)) == Set(images.map(\.id)))
            let declared = Dictionary(
                uniqueKeysWithValues: facts.layers.map { ($0.id, $0.declaredSizeBytes ?? 0) })
            for image in images {
                let ours = try #require(facts.images.first { $0.id == image.id })
                #expect(ours.layers.compactMap { declared[$0] }.reduce(0, +) == image.size)
            }
            let containers = try await engine.containers()
            #expect(Set(facts.containers.map(\.id)) == Set(containers.map(\.id)))
            guard engine.driver == "overlay2" else {
                #expect(!facts.layers.contains { !$0.isFullCopy })
                return
            }
            for layer in facts.layers where layer.kind == .image {
                #expect(walk.sizes[layer.id] == layer.declaredSizeBytes, "layer \(layer.id)")
            }
            for container in containers {
                let ours = try #require(facts.containers.first { $0.id == container.id })
                #expect(walk.sizes[ours.layer] == container.sizeRw, "container \(container.name)")
            }
        }
    }
}
