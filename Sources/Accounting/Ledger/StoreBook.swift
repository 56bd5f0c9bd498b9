/// What was told of a layer or tree.
struct LayerRecord: Sendable {
    var measure: LayerMeasure
    var confidence: Confidence
    var watches: Int
    var lookedAt: Int64?
}

/// What was told of a store's overhead; no measure before the first walk.
struct OverheadRecord: Sendable {
    var measure: OverheadMeasure?
    var confidence = Confidence.converging
    var lookedAt: Int64?
}

/// What was told of the blocks that files of a store share.
struct SharedExtentsRecord: Sendable {
    var extents: SharedExtents?
    var confidence = Confidence.converging
    var lookedAt: Int64?
}

/// What the ledger knows of one store, and the figures that its last snapshot has of it.
///
/// What is told is put down by position, with a note of what it may change. ``refresh(_:)`` then makes the figures anew
/// that are noted, by the same functions that make all of them when the facts change: a figure is never added to, so
/// that it does not drift, and only which ones are made again can be wrong.
struct StoreBook: Sendable {
    let layout: StoreLayout
    /// How well the store's metadata is followed.
    var metadata: Confidence
    var metadataWatches: Int
    /// How often its facts or figures changed.
    var changes: UInt64
    private(set) var records: [LayerRecord?]
    private(set) var tally = MemberTally()
    private(set) var overhead = OverheadRecord()
    private(set) var sharedExtents: SharedExtentsRecord?
    /// As of the last ``refresh(_:)``; `nil` before the first.
    private(set) var usage: StoreUsage?
    private var unrefreshed = Unrefreshed()

    /// Positions of what the figures do not have yet.
    private struct Unrefreshed {
        var members: Set<Int> = []
        var containers: Set<Int> = []
    }

    /// What figures depend on beside the store's own book.
    struct Host {
        var ownership: InodeOwnership
        var deletedOpen: DeletedOpenReport
    }

    init(_ facts: StoreFacts, metadata: Confidence, watches: Int, changes: UInt64 = 1) {
        layout = StoreLayout(facts)
        self.metadata = metadata
        metadataWatches = watches
        self.changes = changes
        records = [LayerRecord?](repeating: nil, count: layout.members.count)
    }

    var facts: StoreFacts { layout.facts }
    var store: StoreIdentity { layout.facts.store }

    // MARK: What is told

    mutating func set(_ record: LayerRecord, at position: Int) {
        tally.replace(records[position], with: record, at: position)
        records[position] = record
        changes += 1
        unrefreshed.members.insert(position)
    }

    mutating func set(_ record: OverheadRecord) {
        overhead = record
        unrefreshed.containers.formUnion(
            layout.containers.indices.lazy.filter { [layout] in !layout.containers[$0].fact.metadata.isEmpty }
        )
    }

    mutating func set(_ record: SharedExtentsRecord) {
        let before = sharedExtents?.extents?.chargedElsewhere ?? [:]
        let now = record.extents?.chargedElsewhere ?? [:]
        sharedExtents = record
        guard before != now else { return }
        for key in Set(before.keys).union(now.keys) where before[key] != now[key] { note(key.id) }
    }

    /// Notes that more changed of a layer or tree than its record.
    mutating func note(_ member: String) {
        if let position = layout.members[member] { unrefreshed.members.insert(position) }
    }

    /// Notes that the files of a layer without a name changed, or, without an id, those of any.
    mutating func noteDeletedOpen(_ layer: String? = nil) {
        unrefreshed.containers.formUnion(layer.map(layout.writers) ?? Array(layout.containers.indices))
    }

    // MARK: The figures

    mutating func refresh(_ host: Host) {
        guard var usage else {
            usage = makeUsage(host)
            unrefreshed = Unrefreshed()
            return
        }
        self.usage = nil
        var images: Set<Int> = []
        var containers = unrefreshed.containers
        var volumes: Set<Int> = []
        let layers = layout.layerCount
        for position in unrefreshed.members {
            if position < layers {
                let now = layer(at: position, host)
                let before = usage.layers[position]
                usage.totals.change(now.fact.kind) { $0.replace(before.charged, with: now.charged) }
                usage.placed[layout.placeOfMember[position]].change(now.fact.kind) {
                    $0.replace(before.found, with: now.found)
                }
                usage.layers[position] = now
            } else {
                let now = tree(at: position, host)
                let before = usage.trees[position - layers].charged
                usage.totals.change(now.fact.kind) { $0.replace(before, with: now.charged) }
                usage.placed[layout.placeOfMember[position]].change(now.fact.kind) {
                    $0.replace(before, with: now.charged)
                }
                usage.trees[position - layers] = now
            }
            images.formUnion(layout.dependants[position].images)
            containers.formUnion(layout.dependants[position].containers)
            volumes.formUnion(layout.dependants[position].volumes)
        }
        for position in images { usage.images[position] = image(at: position) }
        for position in containers { usage.containers[position] = container(at: position, host) }
        for position in volumes { usage.volumes[position] = volume(at: position, host) }
        let charged = usage.overhead?.charged ?? .zero
        usage.overhead = overhead(host)
        usage.totals.overhead.replace(charged, with: usage.overhead?.charged ?? .zero)
        usage.sharedExtents = extentsUsage
        usage.source = source
        self.usage = usage
        unrefreshed = Unrefreshed()
    }

    private func makeUsage(_ host: Host) -> StoreUsage {
        let layers = layout.facts.layers.indices.map { layer(at: $0, host) }
        let trees = (layout.layerCount..<layout.members.count).map { tree(at: $0, host) }
        let overhead = overhead(host)
        var totals = UsageTotals()
        var placed = [UsageTotals](repeating: UsageTotals(), count: layout.places.count)
        for (layer, place) in zip(layers, layout.placeOfMember) {
            totals.change(layer.fact.kind) { $0.add(layer.charged) }
            placed[place].change(layer.fact.kind) { $0.add(layer.found) }
        }
        for (tree, place) in zip(trees, layout.placeOfMember[layers.count...]) {
            totals.change(tree.fact.kind) { $0.add(tree.charged) }
            placed[place].change(tree.fact.kind) { $0.add(tree.charged) }
        }
        if let overhead { totals.overhead.add(overhead.charged) }
        return StoreUsage(
            source: source, images: SharedList(layout.images.indices.map { image(at: $0) }),
            containers: SharedList(layout.containers.indices.map { container(at: $0, host) }),
            layers: SharedList(layers), trees: SharedList(trees),
            volumes: SharedList(layout.volumes.indices.map { volume(at: $0, host) }), overhead: overhead,
            sharedExtents: extentsUsage, totals: totals, placed: SharedList(placed),
            layout: layout)
    }
}

// What goes on when the facts are others.
extension StoreBook {
    mutating func follow(_ metadata: Confidence, watches: Int) {
        self.metadata = metadata
        metadataWatches = watches
        changes += 1
    }

    func record(of member: String) -> LayerRecord? {
        layout.members[member].flatMap { records[$0] }
    }

    /// All that may hold names of inodes.
    var holders: [InodeHolder] {
        records.indices.map(layout.holder) + [InodeHolder(overheadOf: store)]
    }

    /// Takes what was told of what goes on from the store's book so far.
    ///
    /// - Returns: What must be done about layers, and who does not hold names of inodes any more.
    mutating func takeOver(from known: StoreBook?) -> (Ledger.LayerChanges, gone: [InodeHolder]) {
        var changes = Ledger.LayerChanges()
        guard let known else {
            changes.added = layout.facts.layers
            changes.addedTrees = layout.facts.trees
            return (changes, [])
        }
        var gone: [InodeHolder] = []
        self.changes = known.changes + 1
        sharedExtents = known.sharedExtents
        if layout.facts.overhead?.directory == known.layout.facts.overhead?.directory {
            overhead = known.overhead
        } else {
            gone.append(InodeHolder(overheadOf: store))
        }
        var stays = [Bool](repeating: false, count: known.records.count)
        for position in records.indices {
            if let before = layout.position(in: known.layout, of: position) {
                stays[before] = true
                records[position] = known.records[before]
                tally.replace(nil, with: records[position], at: position)
            } else if position < layout.layerCount {
                changes.added.append(layout.facts.layers[position])
            } else {
                changes.addedTrees.append(layout.facts.trees[position - layout.layerCount])
            }
        }
        for before in stays.indices where !stays[before] {
            gone.append(known.layout.holder(at: before))
            if before < known.layout.layerCount {
                changes.removed.append(known.layout.facts.layers[before])
            } else {
                changes.removedTrees.append(known.layout.facts.trees[before - known.layout.layerCount])
            }
        }
        return (changes, gone)
    }
}
