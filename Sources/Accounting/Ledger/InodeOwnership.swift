/// Charges an inode that several layers hold to one of them, so that the sum over layers stays what `df` sees.
///
/// The layer first in (kind, engine, root, id) order owns it; the others list it as shared.
struct InodeOwnership {
    /// For each layer, what of its inodes another layer is charged for; layers with none are absent.
    private(set) var chargedElsewhere: [LayerKey: Measure] = [:]

    init(_ layers: [(key: LayerKey, kind: LayerFact.Kind, measure: LayerMeasure)]) {
        let linked = layers.filter { !$0.measure.linkedOutside.isEmpty }.sorted {
            Self.order($0) < Self.order($1)
        }
        guard linked.count > 1 else { return }
        var owned: Set<InodeKey> = []
        for layer in linked {
            var elsewhere = Measure.zero
            for (inode, measure) in layer.measure.linkedOutside where !owned.insert(inode).inserted {
                elsewhere += measure
            }
            if elsewhere != .zero { chargedElsewhere[layer.key] = elsewhere }
        }
    }

    /// What the layers of one chain take together, an inode that several of them hold counted once.
    static func sum(ofChain measures: [LayerMeasure]) -> Measure {
        var total = measures.map(\.total).sum()
        guard measures.count(where: { !$0.linkedOutside.isEmpty }) > 1 else { return total }
        var seen: Set<InodeKey> = []
        for measure in measures {
            for (inode, size) in measure.linkedOutside where !seen.insert(inode).inserted { total -= size }
        }
        return total
    }

    private static func order(
        _ layer: (key: LayerKey, kind: LayerFact.Kind, measure: LayerMeasure)
    ) -> (Int, String, String, String) {
        let kind = LayerFact.Kind.allCases.firstIndex(of: layer.kind) ?? 0
        return (kind, layer.key.store.engine, layer.key.store.root, layer.key.id)
    }
}
