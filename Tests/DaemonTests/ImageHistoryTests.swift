import Accounting
import Testing
import Wire

@testable import Daemon

@Suite("the history of an image")
struct ImageHistoryTests {
    private static let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/d")

    /// A snapshot of images with the given parents, image `n` with layers `0...n`, layer `n` of `(n + 1) * 100` bytes.
    private static func snapshot(_ parents: [String: String?]) -> UsageSnapshot {
        let ids = parents.keys.sorted()
        var ledger = Ledger()
        _ = ledger.update(
            StoreFacts(
                store: store,
                layers: ids.map { LayerFact(id: "l\($0)", kind: .image, directory: "/d/\($0)") },
                images: ids.enumerated().map { index, id in
                    let layers = ids[...index].map { "l\($0)" }
                    return ImageFact(
                        id: id, parent: parents[id] ?? nil, layers: layers,
                        history: layers.map { HistoryStep(instruction: "RUN \($0)", layer: $0) })
                }))
        for (index, id) in ids.enumerated() {
            let bytes = Int64(index + 1) * 100
            ledger.record(
                LayerKey(store: store, id: "l\(id)"),
                LayerMeasure(total: Measure(diskBytes: bytes * 2, sizeBytes: bytes, inodes: 1)),
                confidence: .exact)
        }
        return ledger.snapshot()
    }

    private static func image(_ id: String, _ snapshot: UsageSnapshot) throws -> ImageUsage {
        try #require(snapshot.images.first { $0.fact.id == id })
    }

    @Test("each step has the bytes it added, their sum so far, and the image that it yielded")
    func steps() throws {
        let snapshot = Self.snapshot(["a": nil, "b": "a", "c": "b"])
        let history = ImageHistory(snapshot, of: Self.store)
        let image = try Self.image("c", snapshot)
        let steps = history.steps(of: image)
        #expect(steps.map(\.sizeBytes) == [100, 200, 300])
        #expect(steps.map(\.diskBytes) == [200, 400, 600])
        #expect(steps.map(\.runningSizeBytes) == [100, 300, 600])
        #expect(steps.map(\.image) == ["a", "b", "c"])
        #expect(history.parents(of: image).map(\.fact.id) == ["b", "a"])
    }

    @Test("parents in a ring end, each named once, and so does an image that is its own parent")
    func ring() throws {
        let snapshot = Self.snapshot(["a": "c", "b": "a", "c": "b", "d": "d"])
        let history = ImageHistory(snapshot, of: Self.store)
        let ring = try Self.image("c", snapshot)
        #expect(history.parents(of: ring).map(\.fact.id) == ["b", "a"])
        #expect(history.steps(of: ring).map(\.runningSizeBytes) == [100, 300, 600])
        let own = try Self.image("d", snapshot)
        #expect(history.parents(of: own).isEmpty)
        #expect(history.steps(of: own).last?.image == "d")
    }

    @Test("a parent that the store does not have ends the chain")
    func missingParent() throws {
        let snapshot = Self.snapshot(["a": "nobody", "b": "a"])
        let history = ImageHistory(snapshot, of: Self.store)
        #expect(history.parents(of: try Self.image("b", snapshot)).map(\.fact.id) == ["a"])
    }
}
