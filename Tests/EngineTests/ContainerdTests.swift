import Accounting
import Foundation
import Kernel
import Stores
import Synchronization
import Testing
import UsageTestKit

/// What the tests on a real containerd need.
enum ContainerdHost {
    static let canRun =
        ProcessInfo.processInfo.environment["USAGED_TEST_ENGINE"] == "required"
        || (geteuid() == 0
            && ["containerd", "ctr"].allSatisfy { name in
                ["/usr/bin", "/usr/local/bin"].contains {
                    FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
                }
            })
}

/// The reader on the store of a real containerd, whose own command is the oracle.
@Suite(
    "on a real containerd (needs root and containerd)", .serialized,
    .enabled(if: ContainerdHost.canRun, "needs root, containerd and ctr"))
struct ContainerdTests {
    private static let base = ["bin/sh": 70_001, "etc/hosts": 120, "var/lib/data": 300_000]
    private static let upper = ["srv/index.html": 1234, "etc/hosts": 500]

    private func withEngine(_ body: (ContainerdEngine) async throws -> Void) async throws {
        let engine = try await ContainerdEngine.start()
        do {
            try await body(engine)
        } catch {
            try? await engine.stop()
            throw error
        }
        try await engine.stop()
    }

    /// Reads on a thread of its own.
    private static func read(_ reader: ContainerdReader) async throws -> StoreReading {
        try await onThread { reader.read() }
    }

    private static func flaws(_ facts: StoreFacts) async throws -> [String] {
        try await onThread { StoreConformance.flaws(of: facts) }
    }

    /// What `du` says of the root but for the databases: they never shrink, and grow into their holes.
    private static func allocated(_ engine: ContainerdEngine) async throws -> Int64 {
        let databases = [
            "io.containerd.metadata.v1.bolt/meta.db", "io.containerd.snapshotter.v1.overlayfs/metadata.db",
            "io.containerd.snapshotter.v1.native/metadata.db",
        ]
        let files = try await DiskUsage.du(databases.map { "\(engine.root)/\($0)" }).reduce(0, +)
        return try await DiskUsage.du(engine.root) - files
    }

    /// The first words of the lines of a table, without its head.
    private static func column(_ table: String) -> [String] {
        table.split(separator: "\n").dropFirst().compactMap {
            $0.split(separator: " ").first.map(String.init)
        }
        .map { $0.split(separator: "\t").first.map(String.init) ?? $0 }
    }

    /// Images of two namespaces and two snapshotters, a container, and a snapshot that nobody uses.
    private static func fill(_ engine: ContainerdEngine) async throws {
        let images = [("docker.io/test/web:2", [base, upper]), ("docker.io/test/base:1", [base])]
        let archive = try await engine.archive(images, index: true)
        try await engine.ctr("images", "import", archive)
        try await engine.ctr("images", "import", archive, namespace: "k8s.io")
        try await engine.ctr("images", "import", "--snapshotter", "native", archive, namespace: "copies")
        let plain = try await engine.archive(
            [("docker.io/test/plain:1", [["usr/bin/x": 8000]])], isCompressed: false)
        try await engine.ctr("images", "import", plain)
        try await engine.ctr("containers", "create", "docker.io/test/web:2", "web-1", "/bin/sh")
        try await engine.ctr(
            "containers", "create", "--snapshotter", "native", "docker.io/test/base:1", "copy-1", "/bin/sh",
            namespace: "copies")
        let top = try await column(engine.ctr("snapshots", "ls")).first ?? ""
        try await engine.ctr("snapshots", "prepare", "left", top)
        try await engine.collectGarbage()
    }

    @Test("facts conform, and agree with ctr's lists of snapshots, images, blobs and containers")
    func lists() async throws {
        try await withEngine { engine in
            try await Self.fill(engine)
            let reader = ContainerdReader(root: engine.root, state: engine.state)
            let facts = try await Self.read(reader).facts
            #expect(facts.problems.isEmpty, "\(facts.problems)")
            let flaws = try await Self.flaws(facts)
            #expect(flaws.isEmpty, "\(flaws)")
            for namespace in ["default", "k8s.io", "copies"] {
                let snapshotter = namespace == "copies" ? "native" : "overlayfs"
                let images = try await Self.column(engine.ctr("images", "ls", namespace: namespace))
                let ours = facts.images.filter { $0.namespace == namespace }
                #expect(ours.flatMap(\.names).sorted() == images.sorted())
                let blobs = try await Self.column(engine.ctr("content", "ls", namespace: namespace))
                #expect(!blobs.isEmpty)
                for blob in blobs {
                    let hex = blob.droppingAlgorithm
                    let layer = facts.layers.first {
                        $0.kind == .content && $0.directory.hasSuffix("/" + hex)
                    }
                    #expect(layer != nil, "\(namespace) \(blob)")
                    let size = try FileManager.default.attributesOfItem(
                        atPath: layer?.directory ?? "/none")[.size]
                    #expect(layer?.declaredSizeBytes == size as? Int64)
                }
                let containers = try await Self.column(engine.ctr("containers", "ls", namespace: namespace))
                #expect(facts.containers.filter { $0.namespace == namespace }.map(\.name) == containers)
                let snapshots = try await Self.column(
                    engine.ctr("snapshots", "--snapshotter", snapshotter, "ls", namespace: namespace))
                for name in snapshots {
                    let id = name.droppingAlgorithm
                    #expect(facts.layers.contains { [id, "\(namespace)/\(id)"].contains($0.id) }, "\(name)")
                }
            }
            #expect(facts.layers.filter { $0.kind == .orphan || $0.kind == .inFlight }.isEmpty)
            let names = facts.images.filter { $0.namespace == "default" }
            for image in names {
                let chain = image.layers
                #expect(!chain.isEmpty, "\(image.names)")
                #expect(image.history.compactMap(\.layer) == chain, "\(image.names)")
            }
            let web = try #require(facts.containers.first { $0.id == "web-1" })
            #expect(web.chain.count == 2 && !web.isRunning && web.imageName == "docker.io/test/web:2")
            #expect(names.first { $0.id == web.imageID }?.layers == web.chain)
        }
    }

    @Test("ctr's usage of each snapshot is a full walk's allocated bytes and inodes of its layer")
    func usage() async throws {
        try await withEngine { engine in
            try await Self.fill(engine)
            let reader = ContainerdReader(root: engine.root, state: engine.state)
            let facts = try await Self.read(reader).facts
            var compared = 0
            for (namespace, snapshotter) in [
                ("default", "overlayfs"), ("k8s.io", "overlayfs"), ("copies", "native"),
            ] {
                let table = try await engine.ctr(
                    "snapshots", "--snapshotter", snapshotter, "usage", "-b", namespace: namespace)
                for line in table.split(separator: "\n").dropFirst() {
                    let words = line.split(separator: " ")
                    guard words.count >= 3 else { continue }
                    let id = String(words[0]).droppingAlgorithm
                    let layer = try #require(
                        facts.layers.first { $0.id == "\(namespace)/\(id)" }
                            ?? facts.layers.first { $0.id == id })
                    let walk = try await FullWalk.measure(layer.directory)
                    #expect(Int64(words[1]) == walk.diskBytes, "\(namespace) \(line)")
                    #expect(Int64(words[2]) == walk.inodes, "\(namespace) \(line)")
                    compared += 1
                }
            }
            #expect(compared >= 10)
        }
    }

    @Test("what ctr removes takes exactly the blocks that the facts said belong to it")
    func removal() async throws {
        try await withEngine { engine in
            try await Self.fill(engine)
            let reader = ContainerdReader(root: engine.root, state: engine.state)
            var facts = try await Self.read(reader).facts
            try await DiskUsage.sync(engine.root)

            // A container's snapshot, with the group that goes with it.
            try Data(count: 40_000).write(
                to: URL(
                    fileURLWithPath: try #require(facts.layers.first { $0.id == "left" }).directory + "/grown"
                ))
            try await DiskUsage.sync(engine.root)
            let unused = try #require(facts.layers.first { $0.id == "left" })
            #expect(unused.kind == .container && unused.metadata.count == 1)
            let group = try await DiskUsage.du("\(engine.root)/\(unused.metadata[0])")
            var before = try await Self.allocated(engine)
            try await engine.ctr("snapshots", "rm", "left")
            try await engine.collectGarbage()
            #expect(try await Self.allocated(engine) == before - group)

            // An image: what no other uses of its layers and blobs.
            facts = try await Self.read(reader).facts
            let plain = try #require(facts.images.first { $0.names == ["docker.io/test/plain:1"] })
            #expect(plain.layers.count == 1 && plain.content.count == 3)
            var expected: Int64 = 0
            for id in plain.layers + plain.content {
                let layer = try #require(facts.layers.first { $0.id == id })
                let path = layer.metadata.first.map { "\(engine.root)/\($0)" } ?? layer.directory
                expected += try await DiskUsage.du(path)
            }
            try await DiskUsage.sync(engine.root)
            before = try await Self.allocated(engine)
            try await engine.ctr("images", "rm", "--sync", "docker.io/test/plain:1")
            try await engine.collectGarbage()
            #expect(try await Self.allocated(engine) == before - expected)
            let after = try await Self.read(reader).facts
            #expect(after.images.count == facts.images.count - 1 && after.problems.isEmpty)
            let gone = Set(facts.layers.map(\.id)).subtracting(after.layers.map(\.id))
            #expect(gone == Set(plain.layers + plain.content))

            // One whose blobs and lowest layer another namespace or image keeps.
            let copies = try #require(
                after.images.first {
                    $0.namespace == "copies" && $0.names == ["docker.io/test/web:2"]
                })
            #expect(copies.layers.count == 2)
            let shared = Set(
                after.containers.flatMap(\.chain)
                    + after.images.filter { $0.id != copies.id }.flatMap(\.layers))
            expected = 0
            for id in copies.layers where !shared.contains(id) {
                expected += try await DiskUsage.du(try #require(after.layers.first { $0.id == id }).directory)
            }
            before = try await Self.allocated(engine)
            try await engine.ctr("images", "rm", "--sync", "docker.io/test/web:2", namespace: "copies")
            try await engine.collectGarbage()
            #expect(try await Self.allocated(engine) == before - expected)
            #expect(expected > 300_000)
        }
    }

    @Test("layers, blobs, downloads and overhead are together what du says of the root")
    func sum() async throws {
        try await withEngine { engine in
            try await Self.fill(engine)
            let facts = try await Self.read(ContainerdReader(root: engine.root, state: engine.state)).facts
            try await DiskUsage.sync(engine.root)
            let total = try await DiskUsage.du(engine.root)
            let parts = try await DiskUsage.du(facts.layers.map(\.directory)).reduce(0, +)
            let overhead = try #require(facts.overhead)
            var rest: Int64 = 0
            var stack: [(path: String, below: [[UInt8]])] = [(engine.root, [])]
            while let (path, below) = stack.popLast() {
                if overhead.excluded.contains(where: { $0.matches(below) }) { continue }
                var status = stat()
                #expect(lstat(path, &status) == 0)
                rest += Int64(status.st_blocks) * 512
                guard status.st_mode & S_IFMT == S_IFDIR else { continue }
                for name in try FileManager.default.contentsOfDirectory(atPath: path) {
                    stack.append(("\(path)/\(name)", below + [Array(name.utf8)]))
                }
            }
            #expect(parts + rest == total)
        }
    }

    @Test("during a flood of prepare, commit and rm each reading is right, or says that it cannot be")
    func flood() async throws {
        try await withEngine { engine in
            try await Self.fill(engine)
            let reader = ContainerdReader(
                root: engine.root, state: engine.state, options: StoreOptions(orphanSeconds: 3600))
            let still = try await Self.read(reader).facts
            let known = Set(still.layers.filter { $0.kind != .inFlight }.map(\.id))
            let top = try #require(still.containers.first { $0.id == "web-1" }?.chain.last)
            let isOver = Mutex(false)
            let work = Task {
                var count = 0
                while !isOver.withLock(\.self) {
                    for number in 0..<3 {
                        try await engine.ctr("snapshots", "prepare", "flood-\(number)", "sha256:\(top)")
                    }
                    try await engine.ctr("snapshots", "commit", "committed-0", "flood-0")
                    for name in ["flood-1", "flood-2", "committed-0"] {
                        try await engine.ctr("snapshots", "rm", name)
                    }
                    count += 1
                }
                return count
            }
            // Longer where a slow machine needs that for some readings.
            let end = ContinuousClock().now + .seconds(15)
            let deadline = end + .seconds(60 * Sanitizer.slowdown)
            defer { isOver.withLock { $0 = true } }
            var read = 0
            var refused = 0
            while ContinuousClock().now < (read > 20 ? end : deadline) {
                let facts = try await Self.read(reader).facts
                if facts.problems.contains(where: { $0.severity == .unreadable }) {
                    refused += 1
                    continue
                }
                read += 1
                #expect(facts.problems.isEmpty, "\(facts.problems)")
                let ids = Set(facts.layers.map(\.id))
                #expect(known.subtracting(ids).isEmpty, "\(known.subtracting(ids))")
                #expect(facts.images == still.images && facts.containers == still.containers)
                for layer in facts.layers where !known.contains(layer.id) {
                    let isNamed = layer.id.hasPrefix("flood-") || layer.id.hasPrefix("committed-")
                    #expect(layer.kind != .orphan, "\(layer)")
                    #expect(isNamed || layer.kind == .inFlight, "\(layer)")
                    #expect(!layer.id.hasPrefix("committed-") || layer.kind != .container, "\(layer)")
                    #expect(layer.kind == .inFlight || layer.parent == top, "\(layer)")
                }
            }
            isOver.withLock { $0 = true }
            let rounds = try await work.value
            #expect(rounds > 5 && read > 20, "\(rounds) rounds, \(read) readings, \(refused) refused")
            // All of it is collected, and the reading is that of a new reader.
            let after = try await wait(for: "the store to rest", deadline: .seconds(20)) {
                let facts = try await Self.read(reader).facts
                return facts.problems.isEmpty && Set(facts.layers.map(\.id)) == known ? facts : nil
            }
            #expect(Set(after.layers) == Set(still.layers))
            let snapshots = try await Self.column(engine.ctr("snapshots", "ls"))
            #expect(snapshots.allSatisfy { !$0.hasPrefix("flood") && !$0.hasPrefix("committed") })
        }
    }
}
