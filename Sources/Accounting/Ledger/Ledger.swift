/// Owns every figure: facts of the stores and measures of their layers go in, snapshots come out.
///
/// It holds whole figures and sums them anew for each snapshot, so that nothing drifts. One owner mutates it.
public struct Ledger: Sendable {
    private struct Book {
        var facts: StoreFacts
        /// The ids of layers and trees.
        let members: Set<String>
        /// How well the store's metadata is followed.
        var metadata: Confidence
        var metadataWatches: Int
        /// How often its facts or figures changed.
        var changes: UInt64 = 0
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
        var lookedAt: Int64?
    }

    private struct OverheadRecord {
        var measure: OverheadMeasure?
        var confidence: Confidence
        var lookedAt: Int64?
    }

    private struct SharedExtentsRecord {
        var extents: SharedExtents?
        var confidence: Confidence
        var lookedAt: Int64?
    }

    private var books: [StoreIdentity: Book] = [:]
    /// Sorted, so that a restart changes nothing.
    private var order: [StoreIdentity] = []
    private var records: [LayerKey: Record] = [:]
    private var overheads: [StoreIdentity: OverheadRecord] = [:]
    private var sharedExtents: [StoreIdentity: SharedExtentsRecord] = [:]
    private var deletedOpen = UsageSnapshot.empty.deletedOpen
    private var latest = UsageSnapshot.empty
    private var isStale = false

    public init() {}

    /// What must be done about layers after facts changed.
    public struct LayerChanges: Hashable, Sendable {
        /// Layers that no one measures yet.
        public var added: [LayerFact] = []
        public var removed: [LayerFact] = []
        public var addedTrees: [TreeFact] = []
        public var removedTrees: [TreeFact] = []
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
            facts: facts, members: Set(facts.layers.map(\.id)).union(facts.trees.map(\.id)),
            metadata: metadata, metadataWatches: watches, changes: (known?.changes ?? 0) + 1, images: nil)

        // A layer that moved to another directory is another layer to look at.
        let before = Set(known?.facts.layers.map(Placement.init) ?? [])
        let after = Set(facts.layers.map(Placement.init))
        let treesBefore = Set(known?.facts.trees ?? [])
        let treesAfter = Set(facts.trees)
        let changes = LayerChanges(
            added: facts.layers.filter { !before.contains(Placement($0)) },
            removed: (known?.facts.layers ?? []).filter { !after.contains(Placement($0)) },
            addedTrees: facts.trees.filter { !treesBefore.contains($0) },
            removedTrees: (known?.facts.trees ?? []).filter { !treesAfter.contains($0) })
        for id in changes.removed.map(\.id) + changes.removedTrees.map(\.id) {
            records[LayerKey(store: facts.store, id: id)] = nil
        }
        if facts.overhead?.directory != known?.facts.overhead?.directory { overheads[facts.store] = nil }
        return changes
    }

    /// Forgets a store with all that is in it.
    public mutating func remove(_ store: StoreIdentity) -> LayerChanges {
        guard let known = books.removeValue(forKey: store) else { return LayerChanges() }
        isStale = true
        order.removeAll { $0 == store }
        for id in known.members { records[LayerKey(store: store, id: id)] = nil }
        overheads[store] = nil
        sharedExtents[store] = nil
        return LayerChanges(removed: known.facts.layers, removedTrees: known.facts.trees)
    }

    /// Takes the measure of a layer or tree; one that no store names any more is dropped.
    ///
    /// `moment` is when it was found, nanoseconds since the epoch.
    public mutating func record(
        _ key: LayerKey, _ measure: LayerMeasure, confidence: Confidence, watches: Int = 0,
        at moment: Int64? = nil
    ) {
        guard books[key.store]?.members.contains(key.id) == true else { return }
        records[key] = Record(measure: measure, confidence: confidence, watches: watches, lookedAt: moment)
        books[key.store]?.invalidateImages(ifTheyHold: key.id)
        books[key.store]?.changes += 1
        isStale = true
    }

    /// The layer or tree could not be looked at: its last figure stays, and says so.
    public mutating func fail(_ key: LayerKey, reason: String) {
        record(
            key, records[key]?.measure ?? .empty, confidence: .stale(reason: reason),
            at: records[key]?.lookedAt)
    }

    /// Takes what a walk of a store's overhead found that began at a moment, nanoseconds since the epoch.
    public mutating func record(_ measure: OverheadMeasure, of store: StoreIdentity, at moment: Int64) {
        guard books[store]?.facts.overhead != nil else { return }
        overheads[store] = OverheadRecord(measure: measure, confidence: .exact, lookedAt: moment)
        isStale = true
    }

    /// A store's overhead could not be walked: its last figure stays, and says so.
    public mutating func failOverhead(of store: StoreIdentity, reason: String) {
        guard books[store]?.facts.overhead != nil else { return }
        overheads[store, default: OverheadRecord(confidence: .converging)].confidence = .stale(reason: reason)
        isStale = true
    }

    /// How often the facts or figures of a store changed; a survey of its extents is as old as that.
    public func changes(of store: StoreIdentity) -> UInt64 {
        books[store]?.changes ?? 0
    }

    /// The store's file system may let files share blocks, so that its sums are not exact before
    /// ``record(_:of:at:)`` tells which do.
    public mutating func expectSharedExtents(of store: StoreIdentity) {
        guard books[store] != nil, sharedExtents[store] == nil else { return }
        sharedExtents[store] = SharedExtentsRecord(confidence: .converging)
        isStale = true
    }

    /// Takes which blocks of a store's layers are shared, as a survey found that began at a moment, nanoseconds since
    /// the epoch.
    public mutating func record(_ extents: SharedExtents, of store: StoreIdentity, at moment: Int64) {
        guard books[store] != nil else { return }
        let reason = "so many files share blocks that not all were compared: sums may be too large"
        sharedExtents[store] = SharedExtentsRecord(
            extents: extents, confidence: extents.isComplete ? .exact : .stale(reason: reason),
            lookedAt: moment)
        isStale = true
    }

    /// Which blocks are shared could not be found out: what was known of it stays, and the sums say so.
    public mutating func failSharedExtents(of store: StoreIdentity, reason: String) {
        guard books[store] != nil else { return }
        sharedExtents[store, default: SharedExtentsRecord(confidence: .converging)].confidence =
            .stale(reason: reason)
        isStale = true
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
        let ownership = InodeOwnership(order.flatMap { holders(of: $0) })
        for store in order {
            guard var book = books[store] else { continue }
            let facts = book.facts
            let declared = Dictionary(
                facts.layers.map { ($0.id, $0.declaredSizeBytes) }, uniquingKeysWith: { first, _ in first })
            let figure: (String) -> LayerFigure? = { [records] id in
                if let record = records[LayerKey(store: store, id: id)] {
                    return LayerFigure(
                        measure: record.measure, confidence: record.confidence, lookedAt: record.lookedAt)
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
            if let known = sharedExtents[store] {
                snapshot.sharedExtents[store] = SharedExtentsUsage(
                    chargedElsewhere: known.extents?.chargedElsewhere ?? [:], lookedAt: known.lookedAt,
                    confidence: known.confidence)
            }
            snapshot.add(layers: facts, images: images, ownership: ownership, figure: figure)
            snapshot.add(trees: facts, ownership: ownership, figure: figure)
            if let fact = facts.overhead {
                snapshot.add(overhead(fact, of: store, ownership), of: store)
            }
            snapshot.add(containers: facts, images: images, figure: figure)
            snapshot.add(volumes: facts)
            snapshot.sources.append(source(store, book))
        }
        return snapshot
    }

    private func holders(of store: StoreIdentity) -> [InodeOwnership.Holder] {
        guard let facts = books[store]?.facts else { return [] }
        var holders: [InodeOwnership.Holder] = []
        for layer in facts.layers {
            let key = LayerKey(store: store, id: layer.id)
            if let record = records[key] { holders.append(.init(layer, key, record.measure)) }
        }
        for tree in facts.trees {
            let key = LayerKey(store: store, id: tree.id)
            if let record = records[key] { holders.append(.init(tree, key, record.measure)) }
        }
        if let measure = overheads[store]?.measure {
            holders.append(.init(overhead: Self.overheadKey(store), measure.total))
        }
        return holders
    }

    private static func overheadKey(_ store: StoreIdentity) -> LayerKey {
        LayerKey(store: store, id: "overhead")
    }

    private func overhead(
        _ fact: OverheadFact, of store: StoreIdentity, _ ownership: InodeOwnership
    ) -> OverheadUsage {
        let record = overheads[store]
        let total = record?.measure?.total.total ?? .zero
        let elsewhere = ownership.chargedElsewhere(Self.overheadKey(store))
        return OverheadUsage(
            fact: fact, measure: record?.measure, charged: total - elsewhere, lookedAt: record?.lookedAt,
            confidence: record?.confidence ?? .converging)
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
        func take(_ id: String) {
            if let record = records[LayerKey(store: store, id: id)] {
                measured += 1
                watches += record.watches
                confidence = confidence.worse(record.confidence)
            } else {
                confidence = confidence.worse(.converging)
            }
        }
        for layer in book.facts.layers { take(layer.id) }
        for tree in book.facts.trees { take(tree.id) }
        if book.facts.overhead != nil {
            confidence = confidence.worse(overheads[store]?.confidence ?? .converging)
        }
        if let shared = sharedExtents[store] { confidence = confidence.worse(shared.confidence) }
        return SourceUsage(
            store: store, confidence: confidence, problems: problems, watches: watches,
            layersMeasured: measured, layersTotal: book.facts.layers.count + book.facts.trees.count)
    }

    private struct Placement: Hashable {
        let id: String
        let directory: String
        let kind: LayerFact.Kind
        let isWritable: Bool

        init(_ fact: LayerFact) {
            id = fact.id
            directory = fact.directory
            kind = fact.kind
            isWritable = fact.isWritable
        }
    }
}
