/// The figures of one store at one moment.
///
/// A version of it shares with the one before all that did not change; see ``SharedList``.
public struct StoreUsage: Sendable {
    public internal(set) var source: SourceUsage
    public internal(set) var images: SharedList<ImageUsage>
    public internal(set) var containers: SharedList<ContainerUsage>
    /// In the order of the facts.
    public internal(set) var layers: SharedList<LayerUsage>
    public internal(set) var trees: SharedList<TreeUsage>
    /// By name.
    public internal(set) var volumes: SharedList<VolumeUsage>
    public internal(set) var overhead: OverheadUsage?
    /// Where the file system lets files share blocks.
    public internal(set) var sharedExtents: SharedExtentsUsage?
    var totals: UsageTotals
    /// The same without what was not measured yet and without overhead, apart by ``places``.
    public internal(set) var placed: SharedList<UsageTotals>
    let layout: StoreLayout

    public var store: StoreIdentity { source.store }

    /// The paths that tell on which file system what it has lies: its root, and each directory outside of that.
    public var places: [String] { layout.places }

    /// Whether it has the same objects as an earlier version, at the same positions, so that figures alone differ.
    func hasObjects(of earlier: StoreUsage) -> Bool { layout === earlier.layout }

    /// What became of the containers since an earlier version; `nil` where the store has other objects since.
    public func changedContainers(since earlier: StoreUsage)
        -> [(now: ContainerUsage, before: ContainerUsage)]?
    {
        guard hasObjects(of: earlier) else { return nil }
        return containers.changes(since: earlier.containers).map { (containers[$0], earlier.containers[$0]) }
    }

    /// What became of the images since an earlier version; `nil` where the store has other objects since.
    public func changedImages(since earlier: StoreUsage) -> [(now: ImageUsage, before: ImageUsage)]? {
        guard hasObjects(of: earlier) else { return nil }
        return images.changes(since: earlier.images).map { (images[$0], earlier.images[$0]) }
    }
}

extension StoreUsage: Hashable {
    public static func == (left: StoreUsage, right: StoreUsage) -> Bool {
        left.source == right.source && left.images == right.images && left.containers == right.containers
            && left.layers == right.layers && left.trees == right.trees && left.volumes == right.volumes
            && left.overhead == right.overhead && left.sharedExtents == right.sharedExtents
            && left.totals == right.totals && left.placed == right.placed
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(source)
        hasher.combine(containers)
    }
}

/// A layer or a tree, of which an id means one within a store.
public protocol StoreMember: Sendable {
    var key: LayerKey { get }
    static func all(in store: StoreUsage) -> SharedList<Self>
    /// The one with an id.
    static func find(_ id: String, in store: StoreUsage) -> Self?
}

extension LayerUsage: StoreMember {
    public static func all(in store: StoreUsage) -> SharedList<LayerUsage> { store.layers }

    public static func find(_ id: String, in store: StoreUsage) -> LayerUsage? {
        store.layout.members[id].flatMap { $0 < store.layers.count ? store.layers[$0] : nil }
    }
}

extension TreeUsage: StoreMember {
    public static func all(in store: StoreUsage) -> SharedList<TreeUsage> { store.trees }

    public static func find(_ id: String, in store: StoreUsage) -> TreeUsage? {
        store.layout.members[id].flatMap { position in
            let place = position - store.layers.count
            return place >= 0 ? store.trees[place] : nil
        }
    }
}

/// The layers or the trees of all stores.
public struct StoreMembers<Usage: StoreMember>: Sendable {
    let snapshot: UsageSnapshot

    public subscript(key: LayerKey) -> Usage? {
        snapshot.usage(of: key.store).flatMap { Usage.find(key.id, in: $0) }
    }

    /// In the order of the stores, and there of the facts.
    public var values: JoinedList<Usage> { JoinedList(snapshot.stores.map(Usage.all)) }

    public var isEmpty: Bool { values.isEmpty }
    public var count: Int { values.count }
}
