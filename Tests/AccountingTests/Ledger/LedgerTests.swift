import Accounting
import Testing

@Suite("The ledger")
struct LedgerTests {
    let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/store")

    private func key(_ id: String) -> LayerKey {
        LayerKey(store: store, id: id)
    }

    private func layer(_ id: String, _ kind: LayerFact.Kind = .image, on parent: String? = nil) -> LayerFact {
        LayerFact(id: id, kind: kind, parent: parent, directory: "/store/\(id)", declaredSizeBytes: 7)
    }

    private func measure(_ size: Int64) -> LayerMeasure {
        LayerMeasure(total: Measure(diskBytes: size * 2, sizeBytes: size, inodes: 1))
    }

    /// The post's story: a base, an image of three steps on it of which one wrote nothing, a container.
    private func story() -> Ledger {
        var ledger = Ledger()
        let facts = StoreFacts(
            store: store,
            layers: [layer("a"), layer("b", on: "a"), layer("c", on: "b"), layer("w", .container)],
            images: [
                ImageFact(
                    id: "base", names: ["ubuntu:14.04"], layers: ["a"],
                    history: [HistoryStep(instruction: "ADD", layer: "a"), HistoryStep(instruction: "CMD")]),
                ImageFact(
                    id: "step", parent: "base", layers: ["a", "b"],
                    history: [
                        HistoryStep(instruction: "ADD", layer: "a"),
                        HistoryStep(instruction: "RUN", layer: "b"),
                    ]),
                ImageFact(
                    id: "web", names: ["zigiweb:latest"], parent: "step", layers: ["a", "b", "c"],
                    history: [HistoryStep(instruction: "RUN", layer: "c")]),
                ImageFact(id: "cmd", names: ["cmd:1"], parent: "web", layers: ["a", "b", "c"]),
            ],
            containers: [
                ContainerFact(id: "c1", name: "web", imageID: "web", layer: "w", chain: ["a", "b", "c"])
            ])
        _ = ledger.update(facts)
        for (id, size) in [("a", 188), ("b", 30), ("c", 9), ("w", 4)] as [(String, Int64)] {
            ledger.record(key(id), measure(size), confidence: .exact)
        }
        return ledger
    }

    @Test("an image's virtual size is its base plus its own step; a step that wrote nothing has size 0")
    func virtualSizes() throws {
        var ledger = story()
        let images = Dictionary(uniqueKeysWithValues: ledger.snapshot().images.map { ($0.fact.id, $0) })
        let sizes = ["base", "step", "web", "cmd"].map { images[$0]?.virtual.sizeBytes }
        #expect(sizes == [188, 218, 227, 227])
        let own = ["base", "step", "web", "cmd"].map { images[$0]?.own.sizeBytes }
        #expect(own == [0, 30, 9, 0])
    }

    @Test("shared and unique count the images that a person sees: an untagged step of another is none")
    func sharedAndUnique() throws {
        var ledger = story()
        let images = Dictionary(uniqueKeysWithValues: ledger.snapshot().images.map { ($0.fact.id, $0) })
        #expect(images["base"]?.shared.sizeBytes == 188)
        #expect(images["web"]?.unique.sizeBytes == 0)

        _ = ledger.update(
            StoreFacts(
                store: store, layers: [layer("a"), layer("b", on: "a"), layer("c", on: "b")],
                images: [
                    ImageFact(id: "base", names: ["ubuntu:14.04"], layers: ["a"]),
                    ImageFact(id: "step", parent: "base", layers: ["a", "b"]),
                    ImageFact(id: "web", names: ["zigiweb:latest"], parent: "step", layers: ["a", "b", "c"]),
                ]))
        let web = try #require(ledger.snapshot().images.first { $0.fact.id == "web" })
        #expect(web.shared.sizeBytes == 188)
        #expect(web.unique.sizeBytes == 39)
    }

    @Test("totals count each layer once, however many images and containers use it")
    func totals() {
        var ledger = story()
        let totals = ledger.snapshot().totals
        #expect(totals.imageLayers.count == 3)
        #expect(totals.imageLayers.measure.sizeBytes == 227)
        #expect(totals.imageLayers.measure.diskBytes == 454)
        #expect(totals.containers.measure.diskBytes == 8)
    }

    @Test("a container's virtual size is its image's chain plus its writable layer")
    func containerVirtual() throws {
        var ledger = story()
        let container = try #require(ledger.snapshot().containers.first)
        #expect(container.writable.sizeBytes == 4)
        #expect(container.virtual.sizeBytes == 231)
        #expect(container.image == "zigiweb:latest")
    }

    @Test("an inode that two layers hold is charged to the first by kind and id, and listed by the other")
    func inodeOwnership() throws {
        var ledger = story()
        let shared = [InodeKey(device: 1, inode: 9): Measure(diskBytes: 100, sizeBytes: 50, inodes: 1)]
        let total = Measure(diskBytes: 300, sizeBytes: 150, inodes: 3)
        ledger.record(key("w"), LayerMeasure(total: total, linkedOutside: shared), confidence: .exact)
        ledger.record(key("b"), LayerMeasure(total: total, linkedOutside: shared), confidence: .exact)
        let snapshot = ledger.snapshot()
        #expect(snapshot.layers[key("b")]?.charged == total)
        #expect(snapshot.layers[key("w")]?.charged == Measure(diskBytes: 200, sizeBytes: 100, inodes: 2))
        #expect(snapshot.layers[key("w")]?.gross == total)
    }

    @Test("until a layer is measured its figure is the engine's, and says that it is not exact")
    func estimate() throws {
        var ledger = Ledger()
        _ = ledger.update(
            StoreFacts(store: store, layers: [layer("a")], images: [ImageFact(id: "i", layers: ["a"])]))
        let snapshot = ledger.snapshot()
        #expect(snapshot.images.first?.virtual.sizeBytes == 7)
        #expect(snapshot.images.first?.confidence == .converging)
        #expect(!snapshot.isExact)
    }

    @Test("a store that cannot be read keeps its figures and is stale")
    func unreadable() {
        var ledger = story()
        let before = ledger.snapshot()
        let problem = StoreProblem(severity: .unreadable, object: .store, path: "/store", reason: "gone")
        let changes = ledger.update(StoreFacts(store: store, problems: [problem]))
        #expect(changes.removed.isEmpty)
        let after = ledger.snapshot()
        #expect(after.images == before.images)
        #expect(after.totals == before.totals)
        #expect(after.sources.first?.confidence == .stale(reason: "/store: gone"))
    }

    @Test("damage to one image leaves the others' figures and the sums alone")
    func damage() {
        var ledger = story()
        let before = ledger.snapshot()
        var facts = StoreFacts(store: store)
        facts.layers = before.layers.values.map(\.fact)
        facts.images = before.images.map(\.fact)
        facts.containers = before.containers.map(\.fact)
        facts.problems = [
            StoreProblem(severity: .damaged, object: .image("step"), path: "/store/step", reason: "no JSON")
        ]
        _ = ledger.update(facts)
        let after = ledger.snapshot()
        #expect(after.totals == before.totals)
        let states = Dictionary(uniqueKeysWithValues: after.images.map { ($0.fact.id, $0.confidence.word) })
        #expect(states == ["base": "exact", "step": "damaged", "web": "exact", "cmd": "exact"])
        #expect(after.sources.first?.confidence.word == "damaged")
    }

    @Test("a layer that moves to another directory is to be measured anew")
    func movedLayer() {
        var ledger = story()
        var facts = StoreFacts(store: store)
        facts.layers = ledger.snapshot().layers.values.map(\.fact).filter { $0.id != "a" }
        facts.layers.append(LayerFact(id: "a", kind: .image, directory: "/store/elsewhere"))
        let changes = ledger.update(facts)
        #expect(changes.added.map(\.directory) == ["/store/elsewhere"])
        #expect(changes.removed.map(\.directory) == ["/store/a"])
    }

    @Test("sums stop at the end of the range instead of trapping")
    func hostileSizes() {
        var ledger = story()
        let huge = LayerMeasure(total: Measure(diskBytes: .max, sizeBytes: .max, inodes: .max))
        for id in ["a", "b", "w"] { ledger.record(key(id), huge, confidence: .exact) }
        let snapshot = ledger.snapshot()
        #expect(snapshot.totals.imageLayers.measure.sizeBytes == .max)
        #expect(snapshot.containers.first?.virtual.sizeBytes == .max)
    }

    @Test("a snapshot without changes is the one before")
    func sameSnapshot() {
        var ledger = story()
        #expect(ledger.snapshot().version == ledger.snapshot().version)
    }

    @Test("a report that comes after its layer went is dropped, and not found when the id comes again")
    func lateReport() {
        var ledger = story()
        var facts = StoreFacts(store: store, layers: [layer("a")])
        _ = ledger.update(facts)
        ledger.record(key("w"), measure(5000), confidence: .exact)
        facts.layers.append(layer("w", .container))
        _ = ledger.update(facts)
        let again = ledger.snapshot().layers[key("w")]
        #expect(again?.confidence == .converging)
        #expect(again?.charged.diskBytes != 10_000)
    }

    @Test("stores are in the order of their roots, whichever was read first")
    func order() {
        let stores = ["/b", "/a", "/c"].map { StoreIdentity(engine: "plain", driver: "directory", root: $0) }
        var ledger = Ledger()
        for store in stores { _ = ledger.update(StoreFacts(store: store)) }
        #expect(ledger.snapshot().sources.map(\.store.root) == ["/a", "/b", "/c"])
    }

    @Test("a store that is forgotten goes with its figures, and may come again")
    func remove() {
        let store = StoreIdentity(engine: "plain", driver: "directory", root: "/gone")
        let layer = LayerFact(id: "w", kind: .container, directory: "/gone/w")
        let facts = StoreFacts(
            store: store, layers: [layer], containers: [ContainerFact(id: "c", name: "c", layer: "w")])
        var ledger = Ledger()
        _ = ledger.update(facts)
        let key = LayerKey(store: store, id: "w")
        let measure = LayerMeasure(total: Measure(diskBytes: 5, sizeBytes: 5, inodes: 1))
        ledger.record(key, measure, confidence: .exact)
        let before = ledger.snapshot()
        #expect(ledger.remove(store).removed == [layer])
        ledger.record(key, measure, confidence: .exact)
        let after = ledger.snapshot()
        #expect(after.version > before.version)
        #expect(after.sources.isEmpty && after.containers.isEmpty && after.layers.isEmpty)
        #expect(after.totals == UsageTotals())
        #expect(ledger.remove(store).removed.isEmpty)
        #expect(ledger.update(facts).added == [layer])
        #expect(ledger.snapshot().containers.map(\.isMeasured) == [false])
    }
}
