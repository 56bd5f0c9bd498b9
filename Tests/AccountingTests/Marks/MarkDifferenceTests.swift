import Accounting
import Testing

@Suite("What changed since a mark")
struct MarkDifferenceTests {
    let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/store")

    private func record(_ ledger: inout Ledger, _ id: String, _ bytes: Int64) {
        let total = Measure(diskBytes: bytes, sizeBytes: bytes, inodes: 1)
        ledger.record(LayerKey(store: store, id: id), LayerMeasure(total: total), confidence: .exact)
    }

    @Test("layers that came and went, containers that changed, and a sum that holds them all")
    func difference() {
        var ledger = Ledger()
        let image = { (id: String, parent: String?) in
            LayerFact(id: id, kind: .image, parent: parent, directory: "/store/\(id)")
        }
        let writable = { (id: String) in LayerFact(id: id, kind: .container, directory: "/store/\(id)") }
        let container = { (id: String) in ContainerFact(id: id, name: "n-\(id)", layer: "w-\(id)") }
        _ = ledger.update(
            StoreFacts(
                store: store, layers: [image("a", nil), image("old", "a"), writable("w-1"), writable("w-2")],
                containers: [container("1"), container("2")]))
        for (id, bytes) in [("a", 100), ("old", 50), ("w-1", 10), ("w-2", 20)] as [(String, Int64)] {
            record(&ledger, id, bytes)
        }
        let mark = Mark(ledger.snapshot(), wall: 0, isExact: true, usedBytes: ["/": 1])

        _ = ledger.update(
            StoreFacts(
                store: store,
                layers: [
                    image("z", "m"), image("m", "a"), image("a", nil), writable("w-1"), writable("w-3"),
                ],
                containers: [container("1"), container("3")]))
        for (id, bytes) in [("m", 7), ("z", 8), ("w-1", 15), ("w-3", 3)] as [(String, Int64)] {
            record(&ledger, id, bytes)
        }
        let difference = MarkDifference(from: mark, to: ledger.snapshot())
        #expect(difference.layersAdded.map(\.key.id) == ["m", "z"])
        #expect(difference.layersRemoved.map(\.measure.diskBytes) == [-50])
        let changes = difference.containers.map { "\($0.kind) \($0.key.id) \($0.change.diskBytes)" }
        #expect(changes == ["changed 1 5", "added 3 3", "removed 2 -20"])
        #expect(difference.total.diskBytes == 7 + 8 - 50 + 5 + 3 - 20)
    }

    @Test("containers of one id in two stores are compared each with itself")
    func twins() {
        let other = StoreIdentity(engine: "docker", driver: "overlay2", root: "/a")
        var ledger = Ledger()
        for store in [store, other] {
            _ = ledger.update(
                StoreFacts(
                    store: store,
                    layers: [LayerFact(id: "w", kind: .container, directory: "\(store.root)/web")],
                    containers: [ContainerFact(id: "web", name: "web", layer: "w")]))
        }
        record(&ledger, "w", 100)
        let mark = Mark(ledger.snapshot(), wall: 0, isExact: true, usedBytes: [:])
        #expect(mark.containers.count == 2)
        record(&ledger, "w", 130)
        _ = ledger.remove(other)
        let changes = MarkDifference(from: mark, to: ledger.snapshot()).containers
        #expect(
            changes.map { "\($0.kind) \($0.key.store.root) \($0.change.diskBytes)" } == [
                "changed /store 30", "removed /a 0",
            ])
    }
}
