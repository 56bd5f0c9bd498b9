/// Every figure of the host at one moment: immutable, and all that anything above the ledger reads.
public struct UsageSnapshot: Hashable, Sendable {
    /// Rises with each snapshot that differs from the one before.
    public var version: UInt64
    /// By root, then by engine.
    public var sources: [SourceUsage]
    /// In the order of the stores, then by name and id.
    public var images: [ImageUsage]
    public var containers: [ContainerUsage]
    public var layers: [LayerKey: LayerUsage]
    public var trees: [LayerKey: TreeUsage]
    /// In the order of the stores, then by name.
    public var volumes: [VolumeUsage]
    public var overheads: [StoreIdentity: OverheadUsage]
    /// Of stores whose file system lets files share blocks.
    public var sharedExtents: [StoreIdentity: SharedExtentsUsage]
    public var totals: UsageTotals
    /// Files without a name that processes hold; in no other figure.
    public var deletedOpen: DeletedOpenReport

    public static let empty = UsageSnapshot(
        version: 0, sources: [], images: [], containers: [], layers: [:], trees: [:],
        volumes: [], overheads: [:], sharedExtents: [:], totals: UsageTotals(),
        deletedOpen: DeletedOpenReport(.unknown(reason: "open files were not looked at yet")))

    /// Whether every layer was looked at once.
    public var isMeasured: Bool {
        sources.allSatisfy { $0.layersMeasured >= $0.layersTotal }
    }

    /// Whether every source is exact.
    public var isExact: Bool {
        sources.allSatisfy { $0.confidence == .exact }
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

/// Sums over the host; every layer is in one of them, once.
public struct UsageTotals: Hashable, Sendable {
    public struct Sum: Hashable, Sendable {
        public var count = 0
        public var measure = Measure.zero

        mutating func add(_ measure: Measure) {
            count += 1
            self.measure += measure
        }
    }

    public var imageLayers = Sum()
    public var containers = Sum()
    /// Layers that engines put between an image and a container.
    public var initLayers = Sum()
    public var buildCache = Sum()
    public var content = Sum()
    public var inFlight = Sum()
    public var logs = Sum()
    public var volumes = Sum()
    public var overhead = Sum()
    public var orphans = Sum()

    public init() {}

    mutating func add(_ kind: LayerFact.Kind, _ measure: Measure) {
        switch kind {
        case .image: imageLayers.add(measure)
        case .container: containers.add(measure)
        case .initial: initLayers.add(measure)
        case .buildCache: buildCache.add(measure)
        case .content: content.add(measure)
        case .inFlight: inFlight.add(measure)
        case .orphan: orphans.add(measure)
        }
    }

    mutating func add(_ kind: TreeFact.Kind, _ measure: Measure) {
        switch kind {
        case .log: logs.add(measure)
        case .volume: volumes.add(measure)
        case .inFlight: inFlight.add(measure)
        }
    }
}
