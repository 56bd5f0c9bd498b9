/// A directory beside the layers with what it takes.
public struct TreeUsage: Hashable, Sendable {
    public var key: LayerKey
    public var fact: TreeFact
    /// What is charged to it: each inode once over all layers and trees of the host.
    public var charged: Measure
    /// All that lies in it, inodes that another one is charged for included.
    public var gross: Measure
    /// The inodes that have names outside of it.
    public var linkedOutside: [InodeKey: Measure]
    /// When its figure was found, nanoseconds since the epoch; `nil` for one that was not measured yet.
    public var lookedAt: Int64?
    public var confidence: Confidence
}

/// A volume with its figure.
public struct VolumeUsage: Hashable, Sendable {
    public var store: StoreIdentity
    public var fact: VolumeFact
    /// What lies in it; `nil` where its files are on another device or host.
    public var measure: Measure?
    public var confidence: Confidence
    /// Ids of the containers that mount it.
    public var containers: [String]
}

/// What of a store's layers lies in blocks that another one is charged for.
public struct SharedExtentsUsage: Hashable, Sendable {
    /// Allocated bytes by layer or tree.
    public var chargedElsewhere: [LayerKey: Int64]
    /// When the last survey began, nanoseconds since the epoch; `nil` before the first.
    public var lookedAt: Int64?
    public var confidence: Confidence
}

/// What an engine keeps beside its layers.
public struct OverheadUsage: Hashable, Sendable {
    public var fact: OverheadFact
    /// What the last walk found; `nil` before the first.
    public var measure: OverheadMeasure?
    /// What of it is charged: an inode that a layer holds too is the layer's.
    public var charged: Measure
    /// When that walk began, nanoseconds since the epoch.
    public var lookedAt: Int64?
    public var confidence: Confidence

    /// What the groups of an object take together; what no walk has found yet counts for nothing.
    public func sum(of groups: [String]) -> Measure {
        measure?.sum(of: groups) ?? .zero
    }
}
