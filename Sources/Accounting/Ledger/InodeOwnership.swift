/// Charges an inode that several layers hold to one of them, so that the sum over layers stays what `df` sees.
///
/// The layer first in (kind, engine, root, id) order owns it, then trees in the same order; the others list it as
/// shared.
struct InodeOwnership {
    /// A layer or tree that may hold names of one inode with others.
    struct Holder {
        var key: LayerKey
        /// Its place in the order of kinds.
        var rank: Int
        var measure: LayerMeasure

        init(_ layer: LayerFact, _ key: LayerKey, _ measure: LayerMeasure) {
            self.key = key
            rank = LayerFact.Kind.allCases.firstIndex(of: layer.kind) ?? 0
            self.measure = measure
        }

        init(_ tree: TreeFact, _ key: LayerKey, _ measure: LayerMeasure) {
            self.key = key
            rank = LayerFact.Kind.allCases.count + (TreeFact.Kind.allCases.firstIndex(of: tree.kind) ?? 0)
            self.measure = measure
        }

        /// The overhead comes last.
        init(overhead key: LayerKey, _ measure: LayerMeasure) {
            self.key = key
            rank = .max
            self.measure = measure
        }
    }

    private var elsewhere: [LayerKey: Measure] = [:]

    /// What of the inodes of a layer or tree another one is charged for.
    func chargedElsewhere(_ key: LayerKey) -> Measure {
        elsewhere[key] ?? .zero
    }

    init(_ holders: [Holder]) {
        let linked = holders.filter { !$0.measure.linkedOutside.isEmpty }.sorted {
            Self.order($0) < Self.order($1)
        }
        guard linked.count > 1 else { return }
        var owned: Set<InodeKey> = []
        for layer in linked {
            var charged = Measure.zero
            for (inode, measure) in layer.measure.linkedOutside where !owned.insert(inode).inserted {
                charged += measure
            }
            if charged != .zero { elsewhere[layer.key] = charged }
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

    static func order(_ holder: Holder) -> (Int, String, String, String) {
        (holder.rank, holder.key.store.engine, holder.key.store.root, holder.key.id)
    }
}

extension StoreFacts {
    /// The layers and trees with their directories, those first that are charged for what several hold.
    public var holders: [(key: LayerKey, directory: String, entries: [NamePattern])] {
        let layers = layers.map { layer in
            (
                InodeOwnership.Holder(layer, LayerKey(store: store, id: layer.id), .empty), layer.directory,
                [NamePattern]()
            )
        }
        let trees = trees.map { tree in
            (
                InodeOwnership.Holder(tree, LayerKey(store: store, id: tree.id), .empty), tree.directory,
                tree.entries
            )
        }
        return (layers + trees).sorted { InodeOwnership.order($0.0) < InodeOwnership.order($1.0) }
            .map { ($0.0.key, $0.1, $0.2) }
    }
}
