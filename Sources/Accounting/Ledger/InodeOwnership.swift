/// Charges an inode that several layers hold to one of them, so that the sum over layers stays what `df` sees.
///
/// The layer first in (kind, engine, root, id) order owns it, then trees in the same order, then overheads; the others
/// list it as shared. A holder whose links change costs as much as it has links, however many others there are.
struct InodeOwnership: Sendable {
    /// Who is charged for each inode that has names outside of where it was seen.
    private var owners: [InodeKey: InodeHolder] = [:]
    /// Who else holds it; absent where nobody does.
    private var others: [InodeKey: [InodeHolder]] = [:]
    private var links: [InodeHolder: [InodeKey: Measure]] = [:]
    private var elsewhere: [InodeHolder: WideMeasure] = [:]

    /// What of the inodes of a holder another one is charged for.
    func chargedElsewhere(_ holder: @autoclosure () -> InodeHolder) -> Measure {
        elsewhere.isEmpty ? .zero : elsewhere[holder()]?.measure ?? .zero
    }

    /// Takes which inodes of a holder have names outside of it, in place of what was known of it; returns for whom
    /// ``chargedElsewhere(_:)`` has changed.
    mutating func replace(_ new: [InodeKey: Measure], of holder: @autoclosure () -> InodeHolder) -> Set<
        InodeHolder
    > {
        // That nothing has links is the rule.
        guard !new.isEmpty || !links.isEmpty else { return [] }
        let holder = holder()
        let old = links[holder] ?? [:]
        guard old != new else { return [] }
        var changed: Set<InodeHolder> = []
        for (inode, measure) in old where new[inode] != measure {
            release(inode, measure, of: holder, &changed)
        }
        links[holder] = new.isEmpty ? nil : new
        for (inode, measure) in new where old[inode] != measure {
            hold(inode, measure, by: holder, &changed)
        }
        return changed
    }

    private mutating func hold(
        _ inode: InodeKey, _ measure: Measure, by holder: InodeHolder, _ changed: inout Set<InodeHolder>
    ) {
        guard let owner = owners[inode] else {
            owners[inode] = holder
            return
        }
        if holder < owner {
            owners[inode] = holder
            others[inode, default: []].append(owner)
            elsewhere[owner, default: WideMeasure()] += links[owner]?[inode] ?? .zero
            changed.insert(owner)
        } else {
            others[inode, default: []].append(holder)
            elsewhere[holder, default: WideMeasure()] += measure
            changed.insert(holder)
        }
    }

    private mutating func release(
        _ inode: InodeKey, _ measure: Measure, of holder: InodeHolder, _ changed: inout Set<InodeHolder>
    ) {
        var rest = others[inode] ?? []
        if owners[inode] == holder {
            owners[inode] = rest.min()
            if let next = rest.min() {
                rest.removeAll { $0 == next }
                discharge(next, links[next]?[inode] ?? .zero)
                changed.insert(next)
            }
        } else {
            rest.removeAll { $0 == holder }
            discharge(holder, measure)
            changed.insert(holder)
        }
        others[inode] = rest.isEmpty ? nil : rest
    }

    private mutating func discharge(_ holder: InodeHolder, _ measure: Measure) {
        elsewhere[holder, default: WideMeasure()] -= measure
        if elsewhere[holder] == WideMeasure() { elsewhere[holder] = nil }
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
}

/// A layer, a tree or an overhead that may hold names of one inode with others.
///
/// A class, since there may be one for each of very many inodes.
final class InodeHolder: Hashable, Comparable, Sendable {
    let store: StoreIdentity
    /// The layer or tree; `nil` for the store's overhead.
    let id: String?
    /// Its place in the order of kinds.
    private let rank: Int

    init(_ layer: LayerFact, of store: StoreIdentity) {
        self.store = store
        id = layer.id
        rank = LayerFact.Kind.allCases.firstIndex(of: layer.kind) ?? 0
    }

    init(_ tree: TreeFact, of store: StoreIdentity) {
        self.store = store
        id = tree.id
        rank = LayerFact.Kind.allCases.count + (TreeFact.Kind.allCases.firstIndex(of: tree.kind) ?? 0)
    }

    /// The overhead comes last.
    init(overheadOf store: StoreIdentity) {
        self.store = store
        id = nil
        rank = .max
    }

    static func == (left: InodeHolder, right: InodeHolder) -> Bool {
        left.id == right.id && left.store == right.store
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(store)
        hasher.combine(id)
    }

    static func < (left: InodeHolder, right: InodeHolder) -> Bool {
        let (one, other) = (left.store, right.store)
        return (left.rank, one.engine, one.root, left.id ?? "", one.driver)
            < (right.rank, other.engine, other.root, right.id ?? "", other.driver)
    }
}

extension StoreFacts {
    /// The layers and trees with their directories, those first that are charged for what several hold.
    public var holders: [(key: LayerKey, directory: String, entries: [NamePattern])] {
        let layers = layers.map { (InodeHolder($0, of: store), $0.directory, [NamePattern]()) }
        let trees = trees.map { (InodeHolder($0, of: store), $0.directory, $0.entries) }
        return (layers + trees).sorted { $0.0 < $1.0 }
            .map { (LayerKey(store: store, id: $0.0.id ?? ""), $0.1, $0.2) }
    }
}
