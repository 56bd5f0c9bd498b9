import Accounting
import Testing

@testable import Daemon

@Suite("the difference of two snapshots")
struct SnapshotDifferenceTests {
    private static let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/d")
    private static let other = StoreIdentity(engine: "plain", driver: "directory", root: "/p")

    private static func facts(
        _ names: [String: String], images: [String: [String]] = [:], of store: StoreIdentity = store
    ) -> StoreFacts {
        StoreFacts(
            store: store,
            layers: names.keys.sorted().map {
                LayerFact(id: "l-\($0)", kind: .container, directory: "/d/\($0)")
            },
            images: images.keys.sorted().map { ImageFact(id: $0, names: images[$0] ?? []) },
            containers: names.keys.sorted().map {
                ContainerFact(id: $0, name: names[$0] ?? "", layer: "l-\($0)", isRunning: true)
            })
    }

    private static func measure(_ bytes: Int64) -> LayerMeasure {
        LayerMeasure(total: Measure(diskBytes: bytes, sizeBytes: bytes, inodes: 1))
    }

    private static func ledger(_ names: [String: String]) -> Ledger {
        var ledger = Ledger()
        _ = ledger.update(facts(names))
        for id in names.keys {
            ledger.record(LayerKey(store: store, id: "l-\(id)"), measure(1000), confidence: .exact)
        }
        return ledger
    }

    @Test("the first reading of a store is one news: the store, and nothing that is in it")
    func firstReading() {
        var ledger = Self.ledger(["a": "one", "b": "two"])
        let first = ledger.snapshot()
        let difference = SnapshotDifference(from: .empty, to: first)
        #expect(difference.sources.map(\.now.store) == [Self.store])
        #expect(difference.sources.allSatisfy { $0.before == nil })
        #expect(difference.containersAdded.isEmpty && difference.usage.isEmpty)
        #expect(difference.imagesAdded.isEmpty)

        // So is that of a second store, while the first goes on.
        _ = ledger.update(Self.facts(["c": "three"], images: ["i": ["x:1"]], of: Self.other))
        let second = SnapshotDifference(from: first, to: ledger.snapshot())
        #expect(second.sources.map(\.now.store) == [Self.other])
        #expect(second.containersAdded.isEmpty && second.imagesAdded.isEmpty)
    }

    @Test("containers and images that come and go are told once each")
    func comeAndGo() {
        var ledger = Self.ledger(["a": "one", "b": "two"])
        let before = ledger.snapshot()
        _ = ledger.update(Self.facts(["b": "two", "c": "three"], images: ["i": ["x:1"]]))
        let now = ledger.snapshot()
        let forward = SnapshotDifference(from: before, to: now)
        #expect(forward.containersAdded.map(\.fact.id) == ["c"])
        #expect(forward.containersRemoved.map(\.fact.id) == ["a"])
        #expect(forward.imagesAdded.map(\.fact.id) == ["i"])
        #expect(forward.imagesRemoved.isEmpty)
        #expect(forward.usage.isEmpty)
        let back = SnapshotDifference(from: now, to: before)
        #expect(back.containersAdded.map(\.fact.id) == ["a"])
        #expect(back.containersRemoved.map(\.fact.id) == ["c"])
        #expect(back.imagesRemoved.map(\.fact.id) == ["i"])
    }

    @Test("a write is the usage of its container alone, by the bytes that changed")
    func usage() {
        var ledger = Self.ledger(["a": "one", "b": "two"])
        let before = ledger.snapshot()
        ledger.record(LayerKey(store: Self.store, id: "l-a"), Self.measure(400), confidence: .exact)
        let difference = SnapshotDifference(from: before, to: ledger.snapshot())
        #expect(difference.usage.map(\.container.fact.id) == ["a"])
        #expect(difference.usage.map(\.change.sizeBytes) == [-600])
        #expect(difference.sources.isEmpty)
    }

    @Test("a name that changes is told, of a container and of an image")
    func names() {
        var ledger = Self.ledger(["a": "one"])
        _ = ledger.update(Self.facts(["a": "one"], images: ["i": ["x:1"]]))
        let before = ledger.snapshot()
        _ = ledger.update(Self.facts(["a": "uno"], images: ["i": ["x:1", "x:2"]]))
        let difference = SnapshotDifference(from: before, to: ledger.snapshot())
        #expect(difference.usage.map(\.container.fact.name) == ["uno"])
        #expect(difference.usage.map(\.change) == [.zero])
        #expect(difference.imagesAdded.map(\.fact.names) == [["x:1", "x:2"]])
        #expect(difference.containersAdded.isEmpty && difference.containersRemoved.isEmpty)
    }

    @Test("a store that is converging for a moment is silent, one in trouble is told both ways")
    func confidence() {
        var ledger = Self.ledger(["a": "one"])
        let exact = ledger.snapshot()
        let key = LayerKey(store: Self.store, id: "l-a")
        ledger.record(key, Self.measure(1000), confidence: .converging)
        let converging = ledger.snapshot()
        ledger.record(key, Self.measure(1000), confidence: .stale(reason: "gone"))
        let stale = ledger.snapshot()
        for (from, to) in [(exact, converging), (converging, exact)] {
            let silent = SnapshotDifference(from: from, to: to)
            #expect(silent.sources.isEmpty)
            #expect(silent.usage.isEmpty)
        }
        for (from, to) in [(exact, stale), (stale, converging)] {
            let told = SnapshotDifference(from: from, to: to)
            #expect(told.sources.map(\.now.store) == [Self.store])
            #expect(told.sources.map(\.before?.store) == [Self.store])
            #expect(told.usage.map(\.container.fact.id) == ["a"])
        }
    }

    @Test("a problem that comes is told with the store, and the same snapshot has no news")
    func problems() {
        var ledger = Self.ledger(["a": "one"])
        let before = ledger.snapshot()
        var facts = Self.facts(["a": "one"])
        facts.problems = [
            StoreProblem(severity: .damaged, object: .store, path: "/d/repositories.json", reason: "bad")
        ]
        _ = ledger.update(facts)
        let now = ledger.snapshot()
        #expect(SnapshotDifference(from: before, to: now).sources.map(\.now.problems) == [facts.problems])
        let same = SnapshotDifference(from: now, to: now)
        #expect(same.sources.isEmpty && same.usage.isEmpty && same.containersAdded.isEmpty)
    }

    @Test("an image whose figures alone changed is no news but to the feed")
    func imageFigures() {
        var ledger = Self.ledger(["a": "one"])
        let before = ledger.snapshot()
        var facts = Self.facts(["a": "one"], images: ["i": ["x:1"]])
        facts.images[0].layers = ["b"]
        facts.layers.append(LayerFact(id: "b", kind: .image, directory: "/d/b", declaredSizeBytes: 10))
        _ = ledger.update(facts)
        let declared = ledger.snapshot()
        ledger.record(LayerKey(store: Self.store, id: "b"), Self.measure(4096), confidence: .exact)
        let measured = ledger.snapshot()
        let first = SnapshotDifference(from: before, to: declared)
        #expect(first.imagesAdded.count == 1 && first.imagesNamed.count == 1)
        let second = SnapshotDifference(from: declared, to: measured)
        #expect(second.imagesAdded.count == 1 && second.imagesNamed.isEmpty)
        facts.images[0].names = ["x:2"]
        _ = ledger.update(facts)
        #expect(SnapshotDifference(from: measured, to: ledger.snapshot()).imagesNamed.count == 1)
    }

    @Test("a store that went is told with all that was in it")
    func removedStore() {
        var ledger = Self.ledger(["a": "one"])
        let before = ledger.snapshot()
        _ = ledger.remove(Self.store)
        let difference = SnapshotDifference(from: before, to: ledger.snapshot())
        #expect(difference.sourcesRemoved.map(\.store) == [Self.store])
        #expect(difference.containersRemoved.map(\.fact.id) == ["a"])
    }
}
