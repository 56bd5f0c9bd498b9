import Foundation
import Testing
import UsageTestKit
import Wire

extension EngineTests {
    /// The ten things that the post "Docker - Part 4" measured by hand.
    @Suite("the post on image layers", .serialized)
    struct LayersPost {
        @Test("1: a mark keeps every figure of its moment, so that nothing has changed since")
        func markBefore() async throws {
            let post = try await EngineWorld.current.post()
            #expect(post.atMark.mark == "before")
            #expect(post.atMark.layersAdded.isEmpty)
            #expect(post.atMark.layersRemoved.isEmpty)
            #expect(post.atMark.containers.isEmpty)
            #expect(post.atMark.totals == Since.Change(diskBytes: 0, sizeBytes: 0))
        }

        @Test("2: since the mark, the build's layers by step, their sum, and what df moved")
        func sinceBefore() async throws {
            let post = try await EngineWorld.current.post()
            let since = post.since
            let base = try #require(post.after.image(named: EngineWorld.base))
            let image = try #require(post.after.image(named: EngineWorld.zigiweb))
            let new = since.layersAdded.filter { $0.kind == "image" }
            #expect(Set(new.map(\.id)) == Set(image.layers).subtracting(base.layers))
            #expect(since.layersRemoved.isEmpty)
            #expect(since.containers.isEmpty)
            for instruction in ["apt-get update", "install", "daemon off;", "chown"] {
                let layers = new.filter { $0.instruction?.contains(instruction) == true }
                #expect(layers.count == 1, "one layer of \(instruction)")
            }

            // Apparent bytes: exactly what the engine says that the image has over its base.
            let grown = image.virtualSizeBytes - base.virtualSizeBytes
            #expect(new.map(\.sizeBytes).reduce(0, +) == grown)
            #expect(since.totals.sizeBytes == since.layersAdded.map(\.sizeBytes).reduce(0, +))
            // Allocated bytes: exactly what du says of the new directories.
            let old = Set(post.directories.base)
            let directories = post.directories.image.filter { !old.contains($0) }
            let allocated = try await DiskUsage.du(directories).reduce(0, +)
            #expect(new.map(\.diskBytes).reduce(0, +) == allocated)
            #expect(since.totals.diskBytes == since.layersAdded.map(\.diskBytes).reduce(0, +))

            let moved = try #require(since.filesystems.first)
            #expect(moved.usedBytes == moved.attributedBytes + moved.otherBytes)
            #expect(since.filesystems.map(\.attributedBytes).reduce(0, +) == since.totals.diskBytes)
            print(
                """
                post, row 2: apparent \(grown), allocated \(allocated), df by the daemon \(moved.usedBytes) \
                (\(moved.otherBytes) other), df by hand \(post.used.after - post.used.before)
                """)
        }

        @Test("3: the history's steps add up to the image's virtual size, exactly")
        func history() async throws {
            let post = try await EngineWorld.current.post()
            let detail = try await post.daemon.query.client(
                ImageDetail.self, "history", EngineWorld.zigiweb)
            let steps = try await post.engine.history(of: EngineWorld.zigiweb)
            #expect(detail.history.map(\.sizeBytes) == steps.map(\.size))
            #expect(detail.history.map(\.instruction) == steps.map(\.instruction))
            var running: Int64 = 0
            for step in detail.history {
                running += step.sizeBytes
                #expect(step.runningSizeBytes == running)
            }
            #expect(running == detail.image.virtualSizeBytes)
            let inspected = try await post.engine.docker(
                "image", "inspect", "--format", "{{.Size}}", EngineWorld.zigiweb)
            #expect(Int64(inspected.droppingAlgorithm) == running)
        }

        @Test("4: the tree has every image of the host once, with its cumulative and its own size")
        func tree() async throws {
            let post = try await EngineWorld.current.post()
            let tree = try await post.daemon.query.client(Tree.self, "tree")
            var nodes: [(node: Tree.Node, base: Int64)] = []
            var pending = tree.roots.map { (node: $0, base: Int64(0)) }
            while let next = pending.popLast() {
                nodes.append(next)
                pending += next.node.children.map { ($0, next.node.virtualSizeBytes) }
            }
            #expect(Set(nodes.map(\.node.id)).count == nodes.count, "a shared prefix is drawn once")
            for (node, base) in nodes {
                #expect(node.virtualSizeBytes == base + node.sizeBytes, "node \(node.id)")
            }
            let images = try await post.engine.images()
            let drawn = nodes.map(\.node).filter { $0.kind == .image }
            #expect(Set(drawn.map(\.id)) == Set(images.map(\.id)))
            for image in images {
                let node = try #require(drawn.first { $0.id == image.id })
                #expect(node.virtualSizeBytes == image.size)
                #expect(node.names.sorted() == image.names)
            }
        }

        @Test("5: a new container's layer takes its few kilobytes, its virtual size is the image's")
        func container() async throws {
            let post = try await EngineWorld.current.post()
            let used = try await DiskUsage.used(post.engine.dataRoot)
            try await withContainer("row5") { name in
                let container = try await settledContainer(name)
                let engineSays = try #require(
                    try await post.engine.containers().first { $0.name == name })
                #expect(container.id == engineSays.id)
                #expect(container.sizeBytes == engineSays.sizeRw)
                #expect(container.diskBytes < 100_000)
                let upper = try await post.engine.upperDirectory(of: name)
                #expect(container.diskBytes == (try await DiskUsage.du(upper)))
                let image = try #require(post.after.image(named: EngineWorld.zigiweb))
                #expect(container.virtualSizeBytes == image.virtualSizeBytes + container.sizeBytes)
                #expect(container.image == EngineWorld.zigiweb)
                print("post, row 5: df moved \(try await DiskUsage.used(post.engine.dataRoot) - used)")
            }
        }

        @Test("6: 20 MB written in a container show in that container alone, in status and feed")
        func write() async throws {
            let post = try await EngineWorld.current.post()
            try await withContainer("row6") { name in
                try await withContainer("row6-idle") { idle in
                    let before = try await settledContainer(name)
                    let idleBefore = try await settledContainer(idle)
                    let imagesBefore = try await post.daemon.query.exactStatus().images
                    let feed = try await FeedRecorder.start(post.daemon.query)
                    let start = feed.count
                    try await post.engine.docker(
                        "exec", name, "dd", "if=/dev/urandom", "of=/big", "bs=1M", "count=20")
                    let written = ContinuousClock.now
                    let arrival = try await feed.first(from: start, "the 20 MB in the feed") { event in
                        event.container?.name == name
                            && (event.container?.sizeBytes ?? 0) >= before.sizeBytes + 20_971_520
                    }
                    print("post, row 6: in the feed \(arrival.time - written) after dd had ended")
                    #expect(arrival.event.type == .usage)

                    let status = try await post.daemon.query.exactStatus()
                    let after = try #require(status.container(named: name))
                    #expect(after.sizeBytes == before.sizeBytes + 20_971_520)
                    let upper = try await post.engine.upperDirectory(of: name)
                    #expect(after.diskBytes == (try await DiskUsage.du(upper)))
                    #expect(after.diskBytes >= before.diskBytes + 20_971_520)
                    #expect(status.container(named: idle)?.diskBytes == idleBefore.diskBytes)
                    #expect(status.images.map(\.diskBytes) == imagesBefore.map(\.diskBytes))
                    #expect(status.images.map(\.sizeBytes) == imagesBefore.map(\.sizeBytes))
                    let others = feed.arrivals.dropFirst(start).filter {
                        $0.event.type == .usage && $0.event.container?.name != name
                    }
                    #expect(others.isEmpty, "nothing else grew")
                    #expect(feed.unreadable.isEmpty)
                    try await feed.stop()
                }
            }
        }

        @Test("7: inspecting the base tells its id, its parent, its own step and its virtual size")
        func inspectBase() async throws {
            let post = try await EngineWorld.current.post()
            let detail = try await post.image(EngineWorld.base)
            let images = try await post.engine.images()
            let base = try #require(images.first { $0.names.contains(EngineWorld.base) })
            #expect(detail.image.id == base.id)
            #expect(detail.image.parent == base.parent)
            #expect(detail.image.virtualSizeBytes == base.size)
            // Its last step is CMD, which writes nothing.
            #expect(detail.image.sizeBytes == 0)
        }

        @Test("8: the chain of parents is walked by id; a step that wrote nothing has size 0")
        func parents() async throws {
            let post = try await EngineWorld.current.post()
            let images = Dictionary(uniqueKeysWithValues: try await post.engine.images().map { ($0.id, $0) })
            let detail = try await post.image(EngineWorld.zigiweb)
            var chain: [String] = []
            var next = try await post.engine.parent(of: EngineWorld.zigiweb)
            while let id = next {
                chain.append(id)
                next = try await post.engine.parent(of: id)
            }
            #expect(detail.parents == chain)
            let base = try #require(post.after.image(named: EngineWorld.base))
            #expect(chain.contains(base.id))
            var empty = 0
            for id in [detail.image.id] + chain {
                let step = try await post.image(id).image
                let size = try #require(images[id]).size
                let below = try step.parent.map { try #require(images[$0]).size } ?? 0
                #expect(step.virtualSizeBytes == size, "image \(id)")
                #expect(step.sizeBytes == size - below, "image \(id)")
                if step.sizeBytes == 0 { empty += 1 }
            }
            #expect(empty >= 5, "VOLUME, CMD and EXPOSE of the image, ENV and CMD of its base")
        }

        @Test("9: one appended line costs the whole file that it copied up")
        func appendedLine() async throws {
            let post = try await EngineWorld.current.post()
            let detail = try await post.image(EngineWorld.zigiweb)
            let step = try #require(detail.history.first { $0.instruction.contains("daemon off;") })
            let size = try await post.engine.docker(
                "run", "--rm", "--network", "none", EngineWorld.zigiweb, "stat", "--format", "%s",
                "/etc/nginx/nginx.conf")
            #expect(step.sizeBytes == Int64(size.droppingAlgorithm))
            let id = try #require(step.image)
            let image = try await post.image(id).image
            #expect(image.sizeBytes == step.sizeBytes)
            #expect(image.virtualSizeBytes == step.runningSizeBytes)
        }

        @Test("10: the base's own steps are part of the history")
        func baseSteps() async throws {
            let post = try await EngineWorld.current.post()
            let base = try await post.image(EngineWorld.base)
            let image = try await post.image(EngineWorld.zigiweb)
            #expect(base.history.count == 6)
            #expect(image.history.count == 14)
            let prefix = image.history.prefix(base.history.count)
            #expect(prefix.map(\.instruction) == base.history.map(\.instruction))
            #expect(prefix.map(\.layer) == base.history.map(\.layer))
            #expect(prefix.map(\.runningSizeBytes) == base.history.map(\.runningSizeBytes))
        }

        /// Runs a container of the post's image as long as `body` runs.
        private func withContainer(_ name: String, _ body: (String) async throws -> Void) async throws {
            let engine = try await EngineWorld.current.post().engine
            _ = try await engine.runIdle(name: name, image: EngineWorld.zigiweb)
            do {
                try await body(name)
            } catch {
                _ = try? await engine.docker("rm", "--force", "--volumes", name)
                throw error
            }
            try await engine.docker("rm", "--force", "--volumes", name)
        }

        /// A container's figures once it has started and the file system has nothing delayed.
        private func settledContainer(_ name: String) async throws -> Container {
            let post = try await EngineWorld.current.post()
            try await DiskUsage.sync(post.engine.dataRoot)
            return try await wait(for: "container \(name), running, in an exact status") {
                let status = try await post.daemon.query.status()
                guard status.exact, let found = status.container(named: name), found.running else {
                    return nil
                }
                return found
            }
        }
    }
}
