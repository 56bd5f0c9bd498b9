import Accounting

/// A host with containers of given figures, and a clock that only moves when told.
struct ContainerHost {
    static let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/store")

    static func key(_ id: String) -> ContainerKey {
        ContainerKey(store: store, id: id)
    }

    private(set) var facts = StoreFacts(store: Self.store)
    private var ledger = Ledger()
    private(set) var seconds: Double = 0

    /// The wall clock starts elsewhere than the monotonic one.
    var moment: Moment {
        Moment(uptime: 6_000_000_000_000, wall: 1_800_000_000_000_000_000).advanced(bySeconds: seconds)
    }

    var snapshot: UsageSnapshot {
        mutating get { ledger.snapshot() }
    }

    mutating func advance(_ seconds: Double) {
        self.seconds += seconds
    }

    mutating func set(
        _ id: String, disk: Int64, confidence: Confidence = .exact, image: String = "nginx:1",
        labels: [String: String] = [:], name: String? = nil
    ) {
        if !facts.containers.contains(where: { $0.id == id }) {
            facts.layers.append(LayerFact(id: "w-\(id)", kind: .container, directory: "/store/\(id)"))
            facts.containers.append(
                ContainerFact(
                    id: id, name: name ?? id, imageName: image, labels: labels, layer: "w-\(id)"))
            _ = ledger.update(facts)
        }
        let total = Measure(diskBytes: disk, sizeBytes: disk, inodes: 1)
        ledger.record(
            LayerKey(store: Self.store, id: "w-\(id)"), LayerMeasure(total: total), confidence: confidence)
    }

    /// Makes a container known without a figure.
    mutating func add(_ id: String) {
        facts.layers.append(LayerFact(id: "w-\(id)", kind: .container, directory: "/store/\(id)"))
        facts.containers.append(ContainerFact(id: id, name: id, layer: "w-\(id)"))
        _ = ledger.update(facts)
    }

    mutating func remove(_ id: String) {
        facts.layers.removeAll { $0.id == "w-\(id)" }
        facts.containers.removeAll { $0.id == id }
        _ = ledger.update(facts)
    }

    mutating func report(_ problems: [StoreProblem], metadata: Confidence = .exact) {
        facts.problems = problems
        _ = ledger.update(facts, metadata: metadata)
    }
}
