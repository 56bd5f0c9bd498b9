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
        public var name: String
        /// Its writable layer.
        public var measure: Measure

        public init(name: String, measure: Measure) {
            self.name = name
            self.measure = measure
        }
    }

    /// Wall clock, nanoseconds since the epoch.
    public var wall: Int64
    /// Whether every change up to then is in it.
    public var isExact: Bool
    public var layers: [LayerKey: LayerEntry]
    public var containers: [ContainerKey: ContainerEntry]
    /// Used bytes, as `df` says them, by mount point.
    public var usedBytes: [String: Int64]

    public init(
        wall: Int64, isExact: Bool = true, layers: [LayerKey: LayerEntry] = [:],
        containers: [ContainerKey: ContainerEntry] = [:], usedBytes: [String: Int64] = [:]
    ) {
        self.wall = wall
        self.isExact = isExact
        self.layers = layers
        self.containers = containers
        self.usedBytes = usedBytes
    }

    /// The figures of a snapshot.
    public init(_ snapshot: UsageSnapshot, wall: Int64, isExact: Bool, usedBytes: [String: Int64]) {
        self.init(
            wall: wall, isExact: isExact,
            layers: Dictionary(
                snapshot.layers.values.map {
                    ($0.key, LayerEntry(kind: $0.fact.kind, measure: $0.charged))
                }, uniquingKeysWith: { first, _ in first }),
            containers: Dictionary(
                snapshot.containers.map {
                    ($0.key, ContainerEntry(name: $0.fact.name, measure: $0.writable))
                }, uniquingKeysWith: { first, _ in first }),
            usedBytes: usedBytes)
    }
}
