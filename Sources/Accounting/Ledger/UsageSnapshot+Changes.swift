/// Where a container stands in a snapshot.
struct ContainerPlace: Hashable, Comparable, Sendable {
    var store: Int
    var position: Int

    static func < (left: ContainerPlace, right: ContainerPlace) -> Bool {
        (left.store, left.position) < (right.store, right.position)
    }
}

/// What who judges every container has to look at, if it has looked at all of an earlier snapshot.
struct ContainerChanges {
    /// The containers that are new or were made anew, and all of a store whose facts are others, in their order;
    /// of several with one key the first.
    var places: [ContainerPlace] = []
    /// Whether there may be other containers than before.
    var haveComeOrGone = false
}

extension UsageSnapshot {
    /// What changed since an earlier snapshot, if there is one: found by what the two do not share.
    func containerChanges(since earlier: UsageSnapshot?) -> ContainerChanges {
        var changes = ContainerChanges()
        changes.haveComeOrGone = earlier?.stores.count != stores.count
        for (index, store) in stores.enumerated() {
            let plans = store.layout.containers
            if let before = earlier?.usage(of: store.store), store.hasObjects(of: before) {
                for position in store.containers.changes(since: before.containers)
                where plans[position].isFirst {
                    changes.places.append(ContainerPlace(store: index, position: position))
                }
            } else {
                changes.haveComeOrGone = true
                changes.places += plans.indices.lazy.filter { plans[$0].isFirst }.map {
                    ContainerPlace(store: index, position: $0)
                }
            }
        }
        return changes
    }

    func container(at place: ContainerPlace) -> ContainerUsage {
        stores[place.store].containers[place.position]
    }

    /// Where a container is; of several with one key the first.
    func place(of container: ContainerKey) -> ContainerPlace? {
        guard let store = storePlaces[container.store],
            let position = stores[store].layout.container(container.id)
        else { return nil }
        return ContainerPlace(store: store, position: position)
    }

    /// The containers that write to a layer: one, if the metadata makes sense.
    public func containers(writing layer: LayerKey) -> [ContainerKey] {
        guard let store = usage(of: layer.store) else { return [] }
        return store.layout.writers(of: layer.id).map { store.containers[$0].key }
    }
}
