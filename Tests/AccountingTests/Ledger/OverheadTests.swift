import Accounting
import Testing

@Suite("What engines keep beside their layers, in the books")
struct OverheadTests {
    private let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/s")

    private func measure(_ bytes: Int64) -> Measure {
        Measure(diskBytes: bytes, sizeBytes: bytes, inodes: 1)
    }

    private func facts() -> StoreFacts {
        StoreFacts(
            store: store,
            layers: [LayerFact(id: "w", kind: .container, directory: "/s/w", metadata: ["meta/w"])],
            containers: [
                ContainerFact(id: "c", name: "c", layer: "w", trees: ["log:c"], metadata: ["containers/c"])
            ],
            volumes: [VolumeFact(name: "v", tree: "volume:v", source: "/s/v")],
            trees: [
                TreeFact(id: "log:c", kind: .log, directory: "/s/containers/c", entries: ["*.log"]),
                TreeFact(id: "volume:v", kind: .volume, directory: "/s/v"),
            ], overhead: OverheadFact(directory: "/s", groups: ["meta/*", "containers/*"]))
    }

    private func key(_ id: String) -> LayerKey { LayerKey(store: store, id: id) }

    @Test("a store is exact once its overhead was walked, and stale where that fails; figures stay")
    func books() {
        var ledger = Ledger()
        let changes = ledger.update(facts())
        #expect(changes.addedTrees.map(\.id) == ["log:c", "volume:v"])
        for (id, bytes) in [("w", 10), ("log:c", 20), ("volume:v", 40)] as [(String, Int64)] {
            ledger.record(key(id), LayerMeasure(total: measure(bytes)), confidence: .exact)
        }
        #expect(ledger.snapshot().sources[0].confidence == .converging)
        ledger.record(
            OverheadMeasure(
                total: LayerMeasure(total: measure(100)),
                groups: ["meta/w": measure(5), "containers/c": measure(7)]), of: store, at: 3)
        var snapshot = ledger.snapshot()
        #expect(snapshot.isExact)
        #expect(snapshot.totals.logs.measure.diskBytes == 20)
        #expect(snapshot.totals.volumes.measure.diskBytes == 40)
        #expect(snapshot.totals.overhead.measure.diskBytes == 100)
        #expect(snapshot.containers[0].logs.diskBytes == 20)
        #expect(snapshot.containers[0].metadata.diskBytes == 7)
        #expect(snapshot.volumes[0].measure?.diskBytes == 40)
        ledger.failOverhead(of: store, reason: "/s: gone")
        snapshot = ledger.snapshot()
        #expect(snapshot.sources[0].confidence == .stale(reason: "/s: gone"))
        #expect(snapshot.totals.overhead.measure.diskBytes == 100)
    }

    @Test("what a removal frees beside the root is told of the directory that it lies in")
    func beside() throws {
        var facts = facts()
        facts.overhead = OverheadFact(
            directory: "/s", groups: ["containers/*"],
            beside: [OverheadFact(directory: "/other", groups: ["meta/*"])])
        var ledger = Ledger()
        _ = ledger.update(facts)
        for (id, bytes) in [("w", 10), ("log:c", 20), ("volume:v", 40)] as [(String, Int64)] {
            ledger.record(key(id), LayerMeasure(total: measure(bytes)), confidence: .exact)
        }
        ledger.record(
            OverheadMeasure(
                total: LayerMeasure(total: measure(100)),
                groups: ["meta/w": measure(5), "containers/c": measure(7)], beside: ["/other": measure(60)]),
            of: store, at: 3)
        let snapshot = ledger.snapshot()
        let plan = ReclaimPlan([ReclaimTarget(store: store, .container(id: "c"))], of: snapshot)
        #expect(plan.total.diskBytes == 42 && plan.doubts.isEmpty)
        let pieces = Dictionary(plan.pieces.map { ($0.directory, $0.diskBytes) }, uniquingKeysWith: +)
        #expect(pieces == ["/s/w": 10, "/s/containers/c": 20, "/s": 7, "/other": 5])
    }

    @Test("a file that a layer and the overhead both name is the layer's")
    func sharedInode() {
        var ledger = Ledger()
        _ = ledger.update(facts())
        let shared = [InodeKey(device: 1, inode: 2): measure(4)]
        ledger.record(
            key("w"), LayerMeasure(total: measure(10), linkedOutside: shared), confidence: .exact)
        ledger.record(
            key("volume:v"), LayerMeasure(total: measure(40), linkedOutside: shared), confidence: .exact)
        ledger.record(
            OverheadMeasure(total: LayerMeasure(total: measure(100), linkedOutside: shared)), of: store, at: 1
        )
        let totals = ledger.snapshot().totals
        #expect(totals.containers.measure.diskBytes == 10)
        #expect(totals.volumes.measure.diskBytes == 36)
        #expect(totals.overhead.measure.diskBytes == 96)
    }

    @Test("trees that went are let go, and facts of a store that cannot be read leave all that was known")
    func changes() {
        var ledger = Ledger()
        _ = ledger.update(facts())
        ledger.record(key("log:c"), LayerMeasure(total: measure(20)), confidence: .exact)
        var unreadable = StoreFacts(store: store)
        unreadable.problems = [
            StoreProblem(severity: .unreadable, object: .store, path: "/s", reason: "gone")
        ]
        let none = ledger.update(unreadable)
        #expect(none.added.isEmpty && none.removed.isEmpty)
        #expect(none.addedTrees.isEmpty && none.removedTrees.isEmpty)
        #expect(ledger.snapshot().containers[0].logs.diskBytes == 20)
        var less = facts()
        less.containers = []
        less.trees.removeFirst()
        #expect(ledger.update(less).removedTrees.map(\.id) == ["log:c"])
        #expect(ledger.snapshot().totals.logs.count == 0)
    }
}
