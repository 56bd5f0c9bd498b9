internal import Accounting

/// All objects that a person can name, of every kind.
struct ObjectIndex {
    enum Object {
        case image(ImageUsage)
        case container(ContainerUsage)
        case volume(VolumeUsage)
        case layer(LayerUsage)
    }

    struct Entry {
        var object: Object
        var store: StoreIdentity
        var id: String
        var names: [String]
    }

    let entries: [Entry]

    /// Takes the objects of a snapshot; where `withLayers`, also layers that are neither orphans nor build cache.
    init(_ snapshot: UsageSnapshot, withLayers: Bool) {
        var entries: [Entry] = []
        for image in snapshot.images {
            entries.append(
                Entry(object: .image(image), store: image.store, id: image.fact.id, names: image.fact.names))
        }
        for container in snapshot.containers {
            entries.append(
                Entry(
                    object: .container(container), store: container.store, id: container.fact.id,
                    names: [container.fact.name]))
        }
        for volume in snapshot.volumes {
            entries.append(
                Entry(object: .volume(volume), store: volume.store, id: volume.fact.name, names: []))
        }
        let known = Set(entries.map { LayerKey(store: $0.store, id: $0.id) })
        for layer in snapshot.layers.values where !known.contains(layer.key) {
            let isLoose = layer.fact.kind == .orphan || layer.fact.kind == .buildCache
            guard withLayers || isLoose else { continue }
            entries.append(
                Entry(
                    object: .layer(layer), store: layer.key.store, id: layer.key.id,
                    names: [layer.fact.directory]))
        }
        self.entries = entries
    }

    var candidates: [(store: StoreIdentity, id: String, names: [String])] {
        entries.map { ($0.store, $0.id, $0.names) }
    }
}

extension ObjectIndex.Object {
    /// The object as something that could be removed.
    var target: ReclaimTarget {
        switch self {
        case .image(let image): ReclaimTarget(store: image.store, .image(id: image.fact.id))
        case .container(let container):
            ReclaimTarget(store: container.store, .container(id: container.fact.id))
        case .volume(let volume): ReclaimTarget(store: volume.store, .volume(name: volume.fact.name))
        case .layer(let layer): ReclaimTarget(store: layer.key.store, .layer(id: layer.key.id))
        }
    }
}
