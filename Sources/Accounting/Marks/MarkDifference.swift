/// What changed from a mark to a snapshot.
public struct MarkDifference: Hashable, Sendable {
    public struct LayerChange: Hashable, Sendable {
        public var key: LayerKey
        public var kind: LayerFact.Kind
        /// What came with it, or went.
        public var measure: Measure
    }

    public struct ContainerChange: Hashable, Sendable {
        public enum Kind: Hashable, Sendable {
            case added, removed, changed
        }

        public var kind: Kind
        public var key: ContainerKey
        public var name: String
        public var change: Measure
    }

    /// Layers other than writable ones that came, lower layers first.
    public var layersAdded: [LayerChange]
    /// Layers other than writable ones that went; their measures are negative.
    public var layersRemoved: [LayerChange]
    /// Containers whose writable layer came, went or changed.
    public var containers: [ContainerChange]
    /// By how much the charged bytes of all layers changed, those included that neither came nor went.
    public var total: Measure

    public init(from mark: Mark, to snapshot: UsageSnapshot) {
        let added = snapshot.layers.values.filter {
            $0.fact.kind != .container && mark.layers[$0.key] == nil
        }
        layersAdded =
            added
            .sorted {
                ($0.depth(in: snapshot), $0.key.id, $0.key.store)
                    < ($1.depth(in: snapshot), $1.key.id, $1.key.store)
            }
            .map { LayerChange(key: $0.key, kind: $0.fact.kind, measure: $0.charged) }
        layersRemoved =
            mark.layers
            .filter { $0.value.kind != .container && snapshot.layers[$0.key] == nil }
            .sorted { ($0.key.id, $0.key.store) < ($1.key.id, $1.key.store) }
            .map { LayerChange(key: $0.key, kind: $0.value.kind, measure: .zero - $0.value.measure) }

        var changes: [ContainerChange] = []
        var present: Set<ContainerKey> = []
        for container in snapshot.containers {
            present.insert(container.key)
            let before = mark.containers[container.key]
            let change = container.writable - (before?.measure ?? .zero)
            guard before == nil || change != .zero else { continue }
            changes.append(
                ContainerChange(
                    kind: before == nil ? .added : .changed, key: container.key,
                    name: container.fact.name, change: change))
        }
        for (key, entry) in mark.containers.sorted(by: { $0.key < $1.key }) where !present.contains(key) {
            changes.append(
                ContainerChange(
                    kind: .removed, key: key, name: entry.name, change: .zero - entry.measure))
        }
        containers = changes
        total = snapshot.layers.values.map(\.charged).sum() - mark.layers.values.map(\.measure).sum()
    }
}

extension LayerUsage {
    /// How many layers it lies on; bounded, for a store's metadata may be cyclic.
    fileprivate func depth(in snapshot: UsageSnapshot) -> Int {
        var depth = 0
        var parent = fact.parent
        while let id = parent, depth < 1024 {
            depth += 1
            parent = snapshot.layers[LayerKey(store: key.store, id: id)]?.fact.parent
        }
        return depth
    }
}
