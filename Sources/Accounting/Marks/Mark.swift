/// Every figure of one moment, remembered under a name.
public struct Mark: Hashable, Sendable {
    public struct LayerEntry: Hashable, Sendable {
        public var kind: LayerFact.Kind
        /// What was charged to the layer.
        public var measure: Measure

        public init(kind: LayerFact.Kind, measure: Measure) {
            self.kind = kind
            self.measure = measure
        }
    }

    public struct ContainerEntry: Hashable, Sendable {
        public var engine: String
        public var name: String
        /// Its writable layer.
        public var measure: Measure

        public init(engine: String, name: String, measure: Measure) {
            self.engine = engine
            self.name = name
            self.measure = measure
        }
    }

    /// Wall clock, nanoseconds since the epoch.
    public var wall: Int64
    public var layers: [LayerKey: LayerEntry]
    /// By the container's full id.
    public var containers: [String: ContainerEntry]
    /// Used bytes, as `df` says them, by mount point.
    public var usedBytes: [String: Int64]

    public init(
        wall: Int64, layers: [LayerKey: LayerEntry] = [:], containers: [String: ContainerEntry] = [:],
        usedBytes: [String: Int64] = [:]
    ) {
        self.wall = wall
        self.layers = layers
        self.containers = containers
        self.usedBytes = usedBytes
    }

    /// The figures of a snapshot.
    public init(_ snapshot: UsageSnapshot, wall: Int64, usedBytes: [String: Int64]) {
        self.init(
            wall: wall,
            layers: snapshot.layers.mapValues { LayerEntry(kind: $0.fact.kind, measure: $0.charged) },
            containers: Dictionary(
                snapshot.containers.map {
                    let entry = ContainerEntry(
                        engine: $0.store.engine, name: $0.fact.name, measure: $0.writable)
                    return ($0.fact.id, entry)
                }, uniquingKeysWith: { first, _ in first }),
            usedBytes: usedBytes)
    }
}
