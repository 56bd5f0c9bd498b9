/// Every figure of the host at one moment: immutable, and all that anything above the ledger reads.
///
/// A snapshot shares with the one before all that did not change, so that it costs what the change costs, whoever
/// holds how many earlier ones.
public struct UsageSnapshot: Hashable, Sendable {
    /// Rises with each snapshot that differs from the one before.
    public var version: UInt64
    /// By root, then by engine.
    public internal(set) var stores: [StoreUsage]
    /// Where each is in ``stores``.
    var storePlaces: [StoreIdentity: Int]
    public internal(set) var totals: UsageTotals
    /// Files without a name that processes hold; in no other figure.
    public internal(set) var deletedOpen: DeletedOpenReport

    public static let empty = UsageSnapshot(
        version: 0, stores: [], storePlaces: [:], totals: UsageTotals(),
        deletedOpen: DeletedOpenReport(.unknown(reason: "open files were not looked at yet")))

    public func usage(of store: StoreIdentity) -> StoreUsage? {
        storePlaces[store].map { stores[$0] }
    }

    /// In the order of the stores.
    public var sources: [SourceUsage] { stores.map(\.source) }
    /// In the order of the stores, and there of the facts.
    public var images: JoinedList<ImageUsage> { JoinedList(stores.map(\.images)) }
    public var containers: JoinedList<ContainerUsage> { JoinedList(stores.map(\.containers)) }
    public var layers: StoreMembers<LayerUsage> { StoreMembers(snapshot: self) }
    public var trees: StoreMembers<TreeUsage> { StoreMembers(snapshot: self) }
    /// In the order of the stores, then by name.
    public var volumes: JoinedList<VolumeUsage> { JoinedList(stores.map(\.volumes)) }
    public var overheads: [StoreIdentity: OverheadUsage] { byStore(\.overhead) }
    /// Of stores whose file system lets files share blocks.
    public var sharedExtents: [StoreIdentity: SharedExtentsUsage] { byStore(\.sharedExtents) }

    private func byStore<Usage>(_ usage: (StoreUsage) -> Usage?) -> [StoreIdentity: Usage] {
        Dictionary(
            stores.compactMap { store in usage(store).map { (store.store, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// The paths by which file systems are found: the roots of the stores, and what of them lies outside.
    public var places: [String] {
        let roots = stores.map(\.store.root)
        let outside = Set(stores.flatMap { $0.places.dropFirst() }).subtracting(roots)
        return roots + outside.sorted()
    }

    /// Which objects there are: equal for snapshots of which figures alone differ.
    public struct Objects: Equatable, Sendable {
        let layouts: [StoreLayout]

        public static func == (left: Objects, right: Objects) -> Bool {
            left.layouts.elementsEqual(right.layouts, by: ===)
        }
    }

    public var objects: Objects { Objects(layouts: stores.map(\.layout)) }

    /// Whether every layer was looked at once.
    public var isMeasured: Bool {
        stores.allSatisfy { $0.source.layersMeasured >= $0.source.layersTotal }
    }

    /// Whether every source is exact.
    public var isExact: Bool {
        stores.allSatisfy { $0.source.confidence == .exact }
    }
}

/// One store, and how far its figures can be trusted.
public struct SourceUsage: Hashable, Sendable {
    public var store: StoreIdentity
    public var confidence: Confidence
    /// Objects that could not be used.
    public var problems: [StoreProblem]
    /// Kernel watches held for it.
    public var watches: Int
    /// Layers and trees of it that were measured at least once.
    public var layersMeasured: Int
    public var layersTotal: Int
}

/// One directory of differences with what it takes.
public struct LayerUsage: Hashable, Sendable {
    public var key: LayerKey
    public var fact: LayerFact
    /// What is charged to this layer: each inode once over all layers of the host, and each shared block once.
    public var charged: Measure
    /// All that lies in its directory, inodes that another layer is charged for included.
    public var gross: Measure
    /// The inodes that have names outside of it.
    public var linkedOutside: [InodeKey: Measure]
    /// When its figure was found, nanoseconds since the epoch; `nil` for one that was not measured yet.
    public var lookedAt: Int64?
    public var confidence: Confidence
    /// Ids of the images whose chain holds it.
    public var images: [String]
    /// Ids of the containers that use it.
    public var containers: [String]

    /// ``charged``, where a look found it: what an engine says of a layer that was not measured yet is on no disk.
    var found: Measure {
        confidence != .converging || charged.inodes > 0 ? charged : .zero
    }
}

/// An image with its figures.
public struct ImageUsage: Hashable, Sendable {
    public var store: StoreIdentity
    public var fact: ImageFact
    /// This image's own step alone.
    public var own: Measure
    /// Its base plus its own step.
    public var virtual: Measure
    /// Of ``virtual``, what the chain of another image uses as well.
    public var shared: Measure
    /// ``virtual`` less ``shared``.
    public var unique: Measure
    public var containers: Int
    public var confidence: Confidence
}

/// A container with its figures.
public struct ContainerUsage: Hashable, Sendable {
    public var store: StoreIdentity
    public var fact: ContainerFact
    /// A name of its image when there is one, else the image's id.
    public var image: String
    /// Its writable layer.
    public var writable: Measure
    /// Its image's chain plus its writable layer.
    public var virtual: Measure
    /// Its log files.
    public var logs: Measure
    /// What the engine keeps of it beside its layers and logs, where that was measured.
    public var metadata: Measure
    public var confidence: Confidence
    /// Whether its writable layer was looked at once.
    public var isMeasured: Bool
    /// Files of its writable layer without a name that processes hold, not part of ``writable``; `nil` where that
    /// is not known.
    public var deletedOpen: DeletedOpen?

    public var key: ContainerKey {
        ContainerKey(store: store, id: fact.id)
    }

    /// The writable layer's key.
    public var layer: LayerKey {
        LayerKey(store: store, id: fact.layer)
    }
}
