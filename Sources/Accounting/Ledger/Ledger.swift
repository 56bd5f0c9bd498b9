/// Owns every figure: facts of the stores and measures of their layers go in, snapshots come out.
///
/// It holds whole figures. A snapshot takes over from the one before what nothing was told about, so that it costs what
/// changed and not what there is; see ``StoreBook``. One owner mutates it.
public struct Ledger: Sendable {
    private var books: [StoreIdentity: StoreBook] = [:]
    /// Sorted, so that a restart changes nothing.
    private var order: [StoreIdentity] = []
    private var ownership = InodeOwnership()
    private var deletedOpen = UsageSnapshot.empty.deletedOpen
    private var latest = UsageSnapshot.empty
    /// Stores of which something changed since then, and whether anything did.
    private var unrefreshed: Set<StoreIdentity> = []
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
        let store = facts.store
        let known = books[store]
        if known == nil {
            order.append(store)
            order.sort()
        }
        var facts = facts
        if let known, facts.problems.contains(where: { $0.severity == .unreadable }) {
            let problems = facts.problems
            facts = known.layout.facts
            facts.problems = problems
        }
        guard known?.layout.facts != facts else {
            books[store]?.follow(metadata, watches: watches)
            touch(store)
            return LayerChanges()
        }
        var book = StoreBook(facts, metadata: metadata, watches: watches)
        let (changes, gone) = book.takeOver(from: known)
        books[store] = book
        touch(store)
        for holder in gone { replaceLinks([:], of: holder) }
        return changes
    }

    /// Forgets a store with all that is in it.
    public mutating func remove(_ store: StoreIdentity) -> LayerChanges {
        guard let known = books.removeValue(forKey: store) else { return LayerChanges() }
        isStale = true
        order.removeAll { $0 == store }
        for holder in known.holders { replaceLinks([:], of: holder) }
        return LayerChanges(removed: known.layout.facts.layers, removedTrees: known.layout.facts.trees)
    }

    /// Takes the measure of a layer or tree; one that no store names any more is dropped.
    ///
    /// `moment` is when it was found, nanoseconds since the epoch.
    public mutating func record(
        _ key: LayerKey, _ measure: LayerMeasure, confidence: Confidence, watches: Int = 0,
        at moment: Int64? = nil
    ) {
        guard let layout = books[key.store]?.layout, let position = layout.members[key.id] else { return }
        let record = LayerRecord(
            measure: measure, confidence: confidence, watches: watches, lookedAt: moment)
        books[key.store]?.set(record, at: position)
        touch(key.store)
        replaceLinks(measure.linkedOutside, of: layout.holder(at: position))
    }

    /// The layer or tree could not be looked at: its last figure stays, and says so.
    public mutating func fail(_ key: LayerKey, reason: String) {
        let known = books[key.store]?.record(of: key.id)
        record(key, known?.measure ?? .empty, confidence: .stale(reason: reason), at: known?.lookedAt)
    }

    /// Takes what a walk of a store's overhead found that began at a moment, nanoseconds since the epoch.
    public mutating func record(_ measure: OverheadMeasure, of store: StoreIdentity, at moment: Int64) {
        guard books[store]?.layout.facts.overhead != nil else { return }
        books[store]?.set(OverheadRecord(measure: measure, confidence: .exact, lookedAt: moment))
        touch(store)
        replaceLinks(measure.total.linkedOutside, of: InodeHolder(overheadOf: store))
    }

    /// A store's overhead could not be walked: its last figure stays, and says so.
    public mutating func failOverhead(of store: StoreIdentity, reason: String) {
        guard let book = books[store], book.layout.facts.overhead != nil else { return }
        var record = book.overhead
        record.confidence = .stale(reason: reason)
        books[store]?.set(record)
        touch(store)
    }

    /// How often the facts or figures of a store changed; a survey of its extents is as old as that.
    public func changes(of store: StoreIdentity) -> UInt64 {
        books[store]?.changes ?? 0
    }

    /// The store's file system may let files share blocks, so that its sums are not exact before
    /// ``record(_:of:at:)`` tells which do.
    public mutating func expectSharedExtents(of store: StoreIdentity) {
        guard let book = books[store], book.sharedExtents == nil else { return }
        books[store]?.set(SharedExtentsRecord())
        touch(store)
    }

    /// Takes which blocks of a store's layers are shared, as a survey found that began at a moment, nanoseconds since
    /// the epoch.
    public mutating func record(_ extents: SharedExtents, of store: StoreIdentity, at moment: Int64) {
        let reason = "so many files share blocks that not all were compared: sums may be too large"
        books[store]?.set(
            SharedExtentsRecord(
                extents: extents, confidence: extents.isComplete ? .exact : .stale(reason: reason),
                lookedAt: moment))
        touch(store)
    }

    /// Which blocks are shared could not be found out: what was known of it stays, and the sums say so.
    public mutating func failSharedExtents(of store: StoreIdentity, reason: String) {
        guard let book = books[store] else { return }
        var record = book.sharedExtents ?? SharedExtentsRecord()
        record.confidence = .stale(reason: reason)
        books[store]?.set(record)
        touch(store)
    }

    /// Takes what a look at the open files of processes found, in place of what the one before did.
    public mutating func record(_ report: DeletedOpenReport) {
        guard report != deletedOpen else { return }
        let before = deletedOpen
        deletedOpen = report
        isStale = true
        guard before.completeness.isKnown == report.completeness.isKnown else {
            for store in order {
                books[store]?.noteDeletedOpen()
                touch(store)
            }
            return
        }
        for key in Set(before.byLayer.keys).union(report.byLayer.keys)
        where before.byLayer[key] != report.byLayer[key] {
            books[key.store]?.noteDeletedOpen(key.id)
            touch(key.store)
        }
    }

    /// Every figure now.
    public mutating func snapshot() -> UsageSnapshot {
        guard isStale else { return latest }
        isStale = false
        latest.version += 1
        latest.deletedOpen = deletedOpen
        let host = StoreBook.Host(ownership: ownership, deletedOpen: deletedOpen)
        for store in unrefreshed { books[store]?.refresh(host) }
        if latest.stores.map(\.store) != order {
            latest.stores = order.compactMap { books[$0]?.usage }
            latest.storePlaces = Dictionary(
                uniqueKeysWithValues: order.enumerated().map { ($0.element, $0.offset) })
        } else {
            for store in unrefreshed {
                if let place = latest.storePlaces[store], let usage = books[store]?.usage {
                    latest.stores[place] = usage
                }
            }
        }
        unrefreshed = []
        latest.totals = latest.stores.reduce(into: UsageTotals()) { $0 += $1.totals }
        return latest
    }

    private mutating func touch(_ store: StoreIdentity) {
        guard books[store] != nil else { return }
        unrefreshed.insert(store)
        isStale = true
    }

    /// Takes which inodes of a layer, tree or overhead have other names; whose charge that changes is noted.
    private mutating func replaceLinks(
        _ links: [InodeKey: Measure], of holder: @autoclosure () -> InodeHolder
    ) {
        for changed in ownership.replace(links, of: holder()) {
            if let id = changed.id { books[changed.store]?.note(id) }
            touch(changed.store)
        }
    }
}
