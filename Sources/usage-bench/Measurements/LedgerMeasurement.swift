import Accounting
import Glibc

/// What it costs the accounts that one of so many containers changed.
struct LedgerMeasurement {
    let containers: Int

    /// Microseconds of the processor for taking a figure and giving all figures.
    func run() -> Double {
        let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/var/lib/docker")
        var ledger = Ledger()
        let layers = (0..<containers).flatMap { index in
            (0..<8).map {
                LayerFact(id: "image-\(index)-\($0)", kind: .image, directory: "/image/\(index)/\($0)")
            }
                + [
                    LayerFact(id: "init-\(index)", kind: .initial, directory: "/init/\(index)"),
                    LayerFact(id: "upper-\(index)", kind: .container, directory: "/upper/\(index)"),
                ]
        }
        let facts = (0..<containers).map { index in
            ContainerFact(
                id: "container-\(index)", name: "container-\(index)", imageID: "", layer: "upper-\(index)",
                initLayer: "init-\(index)", chain: (0..<8).map { "image-\(index)-\($0)" })
        }
        _ = ledger.update(StoreFacts(store: store, layers: layers, images: [], containers: facts))
        func record(_ id: String, bytes: Int64) {
            let measure = Measure(diskBytes: bytes, sizeBytes: bytes, inodes: 1)
            ledger.record(
                LayerKey(store: store, id: id), LayerMeasure(total: measure), confidence: .exact)
        }
        for layer in layers { record(layer.id, bytes: 4_096) }
        var snapshot = ledger.snapshot()
        let rounds = 200
        let begin = clock()
        for round in 0..<rounds {
            record("upper-\(round % containers)", bytes: Int64(8_192 + round))
            snapshot = ledger.snapshot()
        }
        let time = Double(clock() - begin) / Double(CLOCKS_PER_SEC) * 1e6
        precondition(snapshot.containers.count == containers)
        return time / Double(rounds)
    }
}
