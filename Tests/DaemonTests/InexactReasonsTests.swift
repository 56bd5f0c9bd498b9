import Accounting
import Testing

@testable import Daemon

@Suite("Why an answer is not exact")
struct InexactReasonsTests {
    private static let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/d")
    private static let layers = ["a", "b"].map { LayerKey(store: store, id: $0) }

    private static func reasons(
        confidence: Confidence? = .exact, metadata: Confidence = .exact,
        _ change: (inout InexactReasons) -> Void = { _ in }
    ) -> [String] {
        var ledger = Ledger()
        let facts = layers.map { LayerFact(id: $0.id, kind: .container, directory: "/d/\($0.id)") }
        _ = ledger.update(StoreFacts(store: store, layers: facts), metadata: metadata)
        for layer in layers {
            if let confidence { ledger.record(layer, .empty, confidence: confidence) }
        }
        var reasons = InexactReasons(
            areStoresRead: true, wereAllRead: true, storeMilliseconds: 750, unsettled: [],
            barrierMilliseconds: 1_000, snapshot: ledger.snapshot())
        change(&reasons)
        return reasons.list
    }

    @Test("an answer that holds everything has no reason")
    func exact() {
        #expect(Self.reasons().isEmpty)
    }

    @Test("metadata that was not read in time is told, and the first reading is told apart")
    func metadata() {
        #expect(
            Self.reasons { $0.areStoresRead = false } == ["a store's metadata was not read within 750 ms"])
        #expect(
            Self.reasons {
                $0.areStoresRead = false
                $0.wereAllRead = false
            } == ["the stores are being read for the first time"])
    }

    @Test("changes that were not applied in time are told, all or those of some layers")
    func changes() {
        #expect(
            Self.reasons { $0.unsettled = nil } == ["queued changes were not applied within 1000 ms"])
        #expect(
            Self.reasons { $0.unsettled = Set(Self.layers) }
                == ["2 layers have changes that are not looked at yet"])
    }

    @Test("each store that is not exact is told with its state and the reason")
    func stores() {
        #expect(
            Self.reasons(confidence: .stale(reason: "gone")) == ["docker at /d is stale: gone"])
        #expect(
            Self.reasons(confidence: .polling(reason: "no watches", seconds: 30))
                == ["docker at /d is polling: no watches"])
        #expect(
            Self.reasons(confidence: .damaged(reason: "no JSON")) == ["docker at /d is damaged: no JSON"])
        #expect(
            Self.reasons(confidence: nil)
                == ["docker at /d is converging: 2 of 2 layers are not measured yet"])
        #expect(
            Self.reasons(confidence: .converging)
                == ["docker at /d is converging: changes are not looked at yet"])
        #expect(
            Self.reasons(metadata: .polling(reason: "no instance", seconds: 10))
                == ["docker at /d is polling: no instance"])
    }

    @Test("a layer that is said not to be exact is not told twice")
    func once() {
        #expect(
            Self.reasons(confidence: .converging) { $0.unsettled = Set(Self.layers) }
                == ["docker at /d is converging: changes are not looked at yet"])
    }
}
