import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("Docker's graph drivers")
struct DockerDriverTests {
    static let drivers = ["overlay2", "fuse-overlayfs", "btrfs", "vfs"]

    @Test(
        "a store of each driver reads as what was built, and each inode is in one place", arguments: drivers)
    func readsWhatWasBuilt(driver: String) throws {
        let sandbox = try StoreSandbox.small(driver: driver)
        try sandbox.store.addVolume(named: "data", holding: LayerContent(files: [.init("a/b", size: 10)]))
        let base = try sandbox.topLayer(of: "base:1")
        let step = try sandbox.store.addBuildCache(
            LayerContent(files: [.init("x", size: 5_000)]), on: base.id, isCommitted: true)
        try sandbox.store.addBuildCache(LayerContent(), on: step.id, isCommitted: false)
        let reading = sandbox.reader().read()
        #expect(reading.facts.inOrder == sandbox.store.facts)
        #expect(reading.facts.layers.allSatisfy { $0.isFullCopy == ["btrfs", "vfs"].contains(driver) })
        #expect(StoreConformance.flaws(of: reading.facts) == [])
        #expect(reading.readAgainAt == nil)
    }

    @Test("a removed object takes with it what its facts named, and nothing else", arguments: drivers)
    func namesWhatGoes(driver: String) throws {
        let sandbox = try StoreSandbox.small(driver: driver)
        let volume = try sandbox.store.addVolume(
            named: "v", holding: LayerContent(files: [.init("file", size: 20_000)]))
        let cache = try sandbox.store.addBuildCache(
            LayerContent(files: [.init("c", size: 9_000)]), on: try sandbox.topLayer(of: "base:1").id,
            isCommitted: true)
        let facts = sandbox.reader().read().facts
        let (image, container) = (try sandbox.image("registry:5000/team/web:2"), try sandbox.container())
        func below(_ path: String) -> Int64 { (try? FullWalk(walking: path).diskBytes) ?? 0 }
        // A database grows with each transaction until its pages are free again.
        func whole() -> Int64 {
            below(sandbox.root) - below(sandbox.root + "/volumes/metadata.db")
                - below(sandbox.root + "/buildkit/snapshots.db")
        }
        /// What is the object's own: the files of layers and trees, and its groups without those.
        func expected(_ layers: [String], _ trees: [String], _ metadata: [String]) -> Int64 {
            var paths: Set<String> = []
            var sum: Int64 = 0
            var groups = metadata
            for layer in facts.layers where layers.contains(layer.id) {
                paths.insert(layer.directory)
                groups += layer.metadata
            }
            for tree in facts.trees where trees.contains(tree.id) && tree.entries.isEmpty {
                paths.insert(tree.directory)
            }
            for path in paths { sum += below(path) }
            for group in Set(groups) {
                let path = "\(facts.store.root)/\(group)"
                let inner = paths.filter { $0.hasPrefix(path + "/") }.map(below).reduce(0, +)
                sum += below(path) - inner
            }
            return sum
        }
        let layers = [container.layer, container.initLayer ?? ""]
        var due = expected(layers, [], container.metadata)
        var before = whole()
        try sandbox.store.removeContainer(container.id)
        #expect(before - whole() == due, "container")

        let left = Set(sandbox.store.images.values.filter { $0.id != image.id }.flatMap(\.layers))
        due = expected(image.layers.filter { !left.contains($0) }, [], image.metadata)
        before = whole()
        try sandbox.store.removeImage(image.id)
        #expect(before - whole() == due, "image")

        due = expected([], [volume.tree ?? ""], volume.metadata)
        before = whole()
        try sandbox.store.removeVolume(volume.name)
        #expect(before - whole() == due, "volume")

        due = expected([cache.id], [], [])
        before = whole()
        try sandbox.store.removeBuildCache(cache.id)
        #expect(before - whole() == due, "build cache")
    }

    @Test("random changes of each driver's store read as what was built", arguments: drivers)
    func followsChanges(driver: String) throws {
        let sandbox = try StoreSandbox.small(driver: driver)
        let reader = sandbox.reader()
        var generator = SeededGenerator(seed: 11)
        for step in 0..<25 {
            let image = sandbox.store.facts.images.randomElement(using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: try sandbox.store.addContainer(named: "c\(step)", on: image)
            case 1:
                if let container = sandbox.store.containers.keys.sorted().first {
                    try sandbox.store.removeContainer(container)
                }
            case 2: try sandbox.store.addVolume(named: step % 2 == 0 ? "v\(step)" : nil)
            default:
                try sandbox.store.build(
                    [BuildStep("RUN", content: LayerContent(files: [.init("f\(step)", size: 100)]))],
                    on: image,
                    names: ["i:\(step)"])
            }
            let reading = reader.read()
            #expect(reading.facts.inOrder == sandbox.store.facts, "step \(step)")
            #expect(reader.read().filesRead == 0, "step \(step)")
        }
        #expect(StoreConformance.flaws(of: reader.read().facts) == [])
    }
}
