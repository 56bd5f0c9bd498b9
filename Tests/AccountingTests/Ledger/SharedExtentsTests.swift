import Accounting
import Testing

@Suite("Blocks that files share, in the books")
struct SharedExtentsTests {
    private let store = StoreIdentity(engine: "docker", driver: "btrfs", root: "/s")

    private func key(_ id: String) -> LayerKey { LayerKey(store: store, id: id) }

    @Test("a block that two layers have is charged to the first; until that is known the sums are not exact")
    func books() {
        var ledger = Ledger()
        _ = ledger.update(
            StoreFacts(
                store: store,
                layers: [
                    LayerFact(id: "i", kind: .image, directory: "/s/i"),
                    LayerFact(id: "w", kind: .container, directory: "/s/w"),
                ], containers: [ContainerFact(id: "c", name: "c", layer: "w", chain: ["i"])]))
        for id in ["i", "w"] {
            ledger.record(
                key(id), LayerMeasure(total: Measure(diskBytes: 100, sizeBytes: 90, inodes: 3)),
                confidence: .exact)
        }
        #expect(ledger.snapshot().isExact)
        let changes = ledger.changes(of: store)
        ledger.expectSharedExtents(of: store)
        #expect(ledger.snapshot().sources[0].confidence == .converging)
        ledger.record(SharedExtents(chargedElsewhere: [key("w"): 70]), of: store, at: 1)
        var snapshot = ledger.snapshot()
        #expect(snapshot.isExact)
        #expect(ledger.changes(of: store) == changes)
        #expect(snapshot.totals.imageLayers.measure.diskBytes == 100)
        #expect(snapshot.totals.containers.measure.diskBytes == 30)
        #expect(snapshot.layers[key("w")]?.charged.diskBytes == 30)
        // What du says stays.
        #expect(snapshot.containers[0].writable.diskBytes == 100)
        ledger.record(SharedExtents(chargedElsewhere: [:], isComplete: false), of: store, at: 2)
        snapshot = ledger.snapshot()
        #expect(
            snapshot.sources[0].confidence
                == .stale(
                    reason: "so many files share blocks that not all were compared: sums may be too large"))
        ledger.failSharedExtents(of: store, reason: "which files share blocks is not known: no")
        #expect(!ledger.snapshot().isExact)
    }
}
