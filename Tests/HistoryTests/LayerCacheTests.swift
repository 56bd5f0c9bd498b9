import Accounting
import History
import Testing
import UsageTestKit

@Suite("Layer measures in the database")
struct LayerCacheTests {
    @Test("what was saved is there after the database is opened again, bit for bit")
    func roundTrip() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        var expected: [String: CachedMeasure] = [:]
        for number in 0..<40 {
            expected[Samples.digest(&generator)] = Samples.cached(&generator, linked: number % 5)
        }
        expected["edge"] = CachedMeasure(
            root: RootIdentity(device: .max, inode: .max, changed: .min), directory: "/a b/\u{1F4A9}",
            measure: LayerMeasure(
                total: Measure(diskBytes: .max, sizeBytes: .max, inodes: .max),
                linkedOutside: [
                    InodeKey(device: .max, inode: .max): Measure(diskBytes: .min, sizeBytes: .max, inodes: -1)
                ]))

        let (store, notice) = try StateStore.open(directory: directory.path)
        #expect(notice == nil)
        try store.save(expected.map { (id: $0.key, $0.value) }, of: Samples.docker)
        #expect(try store.layerMeasures(of: Samples.docker) == expected, "seed \(seed)")
        try store.close()

        let (again, secondNotice) = try StateStore.open(directory: directory.path)
        #expect(secondNotice == nil)
        #expect(try again.layerMeasures(of: Samples.docker) == expected, "seed \(seed)")
        #expect(directory.entries.filter { !$0.hasPrefix("state.db-") } == ["state.db"])
    }

    @Test("stores of the same root under other drivers are kept apart")
    func storesAreApart() throws {
        var generator = SeededGenerator(seed: 1)
        let store = try StateStore.inMemory()
        let one = Samples.cached(&generator)
        let two = Samples.cached(&generator)
        var other = Samples.docker
        other.driver = "vfs"
        try store.save([(id: "a", one)], of: Samples.docker)
        try store.save([(id: "a", two)], of: other)
        #expect(try store.layerMeasures(of: Samples.docker) == ["a": one])
        #expect(try store.layerMeasures(of: other) == ["a": two])
        try store.removeLayers(["a", "never there"], of: other)
        #expect(try store.layerMeasures(of: Samples.docker) == ["a": one])
        #expect(try store.layerMeasures(of: other).isEmpty)
        try store.removeLayers(["a"], of: Samples.podman)
    }

    @Test("a later measure of a layer replaces the earlier one")
    func replaces() throws {
        var generator = SeededGenerator(seed: 2)
        let store = try StateStore.inMemory()
        try store.save([(id: "a", Samples.cached(&generator, linked: 3))], of: Samples.docker)
        let later = Samples.cached(&generator)
        try store.save([(id: "a", later)], of: Samples.docker)
        #expect(try store.layerMeasures(of: Samples.docker) == ["a": later])
    }

    @Test("pruning forgets the layers of stores that are gone and no others")
    func prune() throws {
        var generator = SeededGenerator(seed: 3)
        let store = try StateStore.inMemory()
        let kept = Samples.cached(&generator)
        try store.save([(id: "a", kept)], of: Samples.docker)
        try store.save([(id: "b", Samples.cached(&generator))], of: Samples.podman)
        try store.prune(keeping: [Samples.docker])
        #expect(try store.layerMeasures(of: Samples.docker) == ["a": kept])
        #expect(try store.layerMeasures(of: Samples.podman).isEmpty)
    }

    @Test("a layer with more shared inodes than fit is not kept, and neither is what was known before")
    func tooManySharedInodes() throws {
        var generator = SeededGenerator(seed: 4)
        let store = try StateStore.inMemory()
        try store.save([(id: "a", Samples.cached(&generator))], of: Samples.docker)
        let huge = Samples.cached(&generator, linked: 200_000)
        let small = Samples.cached(&generator)
        try store.save([(id: "a", huge), (id: "b", small)], of: Samples.docker)
        #expect(try store.layerMeasures(of: Samples.docker) == ["b": small])
    }

    @Test("ten thousand layers are saved, read, and their room given back when they go")
    func manyLayers() throws {
        var generator = SeededGenerator(seed: 5)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let (store, _) = try StateStore.open(directory: directory.path)
        let measures = (0..<10_000).map { _ in
            (id: Samples.digest(&generator), Samples.cached(&generator))
        }
        try store.save(measures, of: Samples.docker)
        #expect(try store.layerMeasures(of: Samples.docker).count == 10_000)
        try store.close()
        let full = try directory.bytes("state.db").count
        #expect(full < 4 << 20)

        let (again, _) = try StateStore.open(directory: directory.path)
        try again.prune(keeping: [])
        try again.close()
        #expect(try directory.bytes("state.db").count < full / 10)
    }
}
