/// Owns every figure: facts of the stores and measures of their layers go in, snapshots come out.
///
/// It holds whole figures and sums them anew for each snapshot, so that nothing drifts. One owner mutates it.
public struct Ledger: Sendable {
    private struct Book {
        var facts: StoreFacts
        let layers: Set<String>
        /// How well the store's metadata is followed.
        var metadata: Confidence
        var metadataWatches: Int
        /// Made when it is next needed.
        var images: ImageBook?

        mutating func invalidateImages(ifTheyHold layer: String) {
            if images?.users[layer] != nil { images = nil }
        }
    }

    private struct Record {
        var measure: LayerMeasure
        var confidence: Confidence
        var watches: Int
    }

    private var books: [StoreIdentity: Book] = [:]
    /// Sorted, so that a restart changes nothing.
    private var order: [StoreIdentity] = []
    private var records: [LayerKey: Record] = [:]
    private var deletedOpen = UsageSnapshot.empty.deletedOpen
    private var latest = UsageSnapshot.empty
    private var isStale = false

    public init() {}

    /// What must be done about layers after facts changed.
    public struct LayerChanges: Hashable, Sendable {
        /// Layers that no one measures yet.
        public var added: [LayerFact] = []
        public var removed: [LayerFact] = []
    }

    /// Takes what a store's metadata says now, in place of what it said before.
    ///
    /// Facts that say that the store cannot be read leave the objects known of it in the books.
    public mutating func update(
        _ facts: StoreFacts, metadata: Confidence = .exact, watches: Int = 0
    ) -> LayerChanges {
        isStale = true
        let known = books[facts.store]
        if known == nil {
            order.append(facts.store)
            order.sort()
        }
        var facts = facts
        if let known, facts.problems.contains(where: { $0.severity == .unreadable }) {
            facts.layers = known.facts.layers
            facts.images = known.facts.images
            facts.containers = known.facts.containers
            facts.volumes = known.facts.volumes
            facts.trees = known.facts.trees
            facts.overhead = known.facts.overhead
        }
        books[facts.store] = Book(
            facts: facts, layers: Set(facts.layers.map(\.id)), metadata: metadata,
            metadataWatches: watches, images: nil)

        // A layer that moved to another directory is another layer to look at.
        let before = Set(known?.facts.layers.map(Placement.init) ?? [])
        let after = Set(facts.layers.map(Placement.init))
        let changes = LayerChanges(
            added: facts.layers.filter { !before.contains(Placement($0)) },
            removed: (known?.facts.layers ?? []).filter { !after.contains(Placement($0)) })
        for layer in changes.removed { records[LayerKey(store: facts.store, id: layer.id)] = nil }
        return changes
    }

    /// Forgets a store with all that is in it.
    public mutating func remove(_ store: StoreIdentity) -> LayerChanges {
        guard let known = books.removeValue(forKey: store) else { return LayerChanges() }
        isStale = true
        order.removeAll { $0 == store }
        for id in known.layers { records[LayerKey(store: store, id: id)] = nil }
        return LayerChanges(removed: known.facts.layers)
    }

    /// Takes a layer's measure; one of a layer that no store names any more is dropped.
    public mutating func record(
        _ key: LayerKey, _ measure: LayerMeasure, confidence: Confidence, watches: Int = 0
    ) {
        guard books[key.store]?.layers.contains(key.id) == true else { return }
        records[key] = Record(measure: measure, confidence: confidence, watches: watches)
        books[key.store]?.invalidateImages(ifTheyHold: key.id)
        isStale = true
    }

    /// The layer could not be looked at: its last figure stays, and says so.
    public mutating func fail(_ key: LayerKey, reason: String) {
        record(key, records[key]?.measure ?? .empty, confidence: .stale(reason: reason))
    }

    /// Takes what a look at the open files of processes found, in place of what the one before did.
    public mutating func record(_ report: DeletedOpenReport) {
        guard report != deletedOpen else { return }
        deletedOpen = report
        isStale = true
    }

    /// Every figure now.
    public mutating func snapshot() -> UsageSnapshot {
        guard isStale else { return latest }
        isStale = false
        latest = makeSnapshot()
        return latest
    }

    private mutating func makeSnapshot() -> UsageSnapshot {
        var snapshot = UsageSnapshot.empty
        snapshot.version = latest.version + 1
        snapshot.deletedOpen = deletedOpen
        let ownership = InodeOwnership(
            order.flatMap { store in
                (books[store]?.facts.layers ?? []).compactMap { layer in
                    let key = LayerKey(store: store, id: layer.id)
                    return records[key].map { (key, layer.kind, $0.measure) }
                }
            })
        for store in order {
            guard var book = books[store] else { continue }
            let facts = book.facts
            let declared = Dictionary(
                facts.layers.map { ($0.id, $0.declaredSizeBytes) }, uniquingKeysWith: { first, _ in first })
            let figure: (String) -> LayerFigure? = { [records] id in
                if let record = records[LayerKey(store: store, id: id)] {
                    return LayerFigure(measure: record.measure, confidence: record.confidence)
                }
                guard let size = declared[id] else { return nil }
                // Until it is measured: what the engine says, and openly not exact.
                let estimate = Measure(diskBytes: size ?? 0, sizeBytes: size ?? 0, inodes: 0)
                return LayerFigure(
                    measure: LayerMeasure(total: estimate), confidence: .converging, isMeasured: false)
            }
            let images = book.images ?? ImageBook(facts: facts, figure: figure)
            book.images = images
            books[store] = book
            snapshot.images += images.images
            snapshot.add(layers: facts, images: images, ownership: ownership, figure: figure)
            snapshot.add(containers: facts, images: images, figure: figure)
            snapshot.sources.append(source(store, book))
        }
        return snapshot
    }

    private func source(_ store: StoreIdentity, _ book: Book) -> SourceUsage {
        let problems = book.facts.problems.filter { $0.severity != .pending }
        var confidence = book.metadata
        if let problem = problems.first {
            let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
            let reason = "\(problem.path): \(problem.reason)\(more)"
            let isUnreadable = problems.contains { $0.severity == .unreadable }
            confidence = confidence.worse(isUnreadable ? .stale(reason: reason) : .damaged(reason: reason))
        }
        if book.facts.problems.contains(where: { $0.severity == .pending }) {
            confidence = confidence.worse(.converging)
        }
        var measured = 0
        var watches = book.metadataWatches
        for layer in book.facts.layers {
            if let record = records[LayerKey(store: store, id: layer.id)] {
                measured += 1
                watches += record.watches
                confidence = confidence.worse(record.confidence)
            } else {
                confidence = confidence.worse(.converging)
            }
        }
        return SourceUsage(
            store: store, confidence: confidence, problems: problems, watches: watches,
            layersMeasured: measured,
            layersTotal: book.facts.layers.count)
    }

    private struct Placement: Hashable {
        let id: String
        let directory: String
        let kind: LayerFact.Kind

        init(_ fact: LayerFact) {
            id = fact.id
            directory = fact.directory
            kind = fact.kind
        }
    }
}

extension UsageSnapshot {
    fileprivate mutating func add(
        layers facts: StoreFacts, images: ImageBook, ownership: InodeOwnership,
        figure: (String) -> LayerFigure?
    ) {
        var users: [String: [String]] = [:]
        for container in facts.containers {
            for layer in container.chain + [container.layer] + (container.initLayer.map { [$0] } ?? []) {
                users[layer, default: []].append(container.id)
            }
        }
        for layer in facts.layers {
            let key = LayerKey(store: facts.store, id: layer.id)
            let known = figure(layer.id)
            let gross = known?.measure.total ?? .zero
            let charged = gross - (ownership.chargedElsewhere[key] ?? .zero)
            self.layers[key] = LayerUsage(
                key: key, fact: layer, charged: charged, gross: gross,
                confidence: known?.confidence ?? .converging, images: images.users[layer.id] ?? [],
                containers: users[layer.id] ?? [])
            totals.add(layer.kind, charged)
        }
    }

    fileprivate mutating func add(
        containers facts: StoreFacts, images: ImageBook, figure: (String) -> LayerFigure?
    ) {
        let damage = Dictionary(
            facts.problems.compactMap { problem -> (String, String)? in
                guard problem.severity == .damaged, case .container(let id) = problem.object else {
                    return nil
                }
                return (id, "\(problem.path): \(problem.reason)")
            }, uniquingKeysWith: { first, _ in first })
        for fact in facts.containers {
            let known = figure(fact.layer)
            let writable = known?.measure.total ?? .zero
            let chain = InodeOwnership.sum(ofChain: fact.chain.compactMap { figure($0)?.measure })
            var confidence = known?.confidence ?? .converging
            if let reason = damage[fact.id] { confidence = confidence.worse(.damaged(reason: reason)) }
            containers.append(
                ContainerUsage(
                    store: facts.store, fact: fact,
                    image: images.names[fact.imageID]
                        ?? (fact.imageID.isEmpty ? fact.imageName ?? "" : fact.imageID),
                    writable: writable, virtual: chain + writable, confidence: confidence,
                    isMeasured: known?.isMeasured ?? false,
                    deletedOpen: deletedOpen.completeness.isKnown
                        ? deletedOpen.byLayer[LayerKey(store: facts.store, id: fact.layer)] ?? DeletedOpen()
                        : nil))
        }
    }
}
