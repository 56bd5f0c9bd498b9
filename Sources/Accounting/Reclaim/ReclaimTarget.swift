/// One object that could be removed.
public struct ReclaimTarget: Hashable, Sendable {
    public enum Object: Hashable, Sendable {
        case image(id: String)
        case container(id: String)
        case volume(name: String)
        /// An orphan, or a layer of build cache; of one that an image has as well, that the cache has it.
        case layer(id: String)
    }

    public var store: StoreIdentity
    public var object: Object

    public init(store: StoreIdentity, _ object: Object) {
        self.store = store
        self.object = object
    }

    /// All that nothing uses: images and volumes that no container has, build cache that nothing else which stays lies
    /// on, and orphans; containers that do not run as well where `withStopped` says so.
    public static func unused(_ snapshot: UsageSnapshot, withStopped: Bool = false) -> [ReclaimTarget] {
        var targets: [ReclaimTarget] = []
        let kept = snapshot.containers.filter { !withStopped || $0.fact.isRunning }
        let going = snapshot.containers.filter { withStopped && !$0.fact.isRunning }
        targets += going.map { ReclaimTarget(store: $0.store, .container(id: $0.fact.id)) }
        let usedImages = Set(kept.map { ReclaimTarget(store: $0.store, .image(id: $0.fact.imageID)) })
        let images = snapshot.images.map { ReclaimTarget(store: $0.store, .image(id: $0.fact.id)) }
        targets += images.filter { !usedImages.contains($0) }
        let usedVolumes = Set(
            kept.flatMap { container in
                container.fact.mounts.compactMap { mount in
                    mount.kind == .volume
                        ? mount.name.map { ReclaimTarget(store: container.store, .volume(name: $0)) } : nil
                }
            })
        let volumes = snapshot.volumes.map { ReclaimTarget(store: $0.store, .volume(name: $0.fact.name)) }
        targets += volumes.filter { !usedVolumes.contains($0) }
        let known = Set(targets)
        let layers = snapshot.layers.values.filter { layer in
            if layer.fact.kind == .orphan { return true }
            if layer.fact.kind == .buildCache { return !layer.fact.isWritable }
            let store = layer.key.store
            return layer.fact.isCached
                && layer.images.allSatisfy { known.contains(ReclaimTarget(store: store, .image(id: $0))) }
                && layer.containers.allSatisfy {
                    known.contains(ReclaimTarget(store: store, .container(id: $0)))
                }
        }
        targets += layers.map { ReclaimTarget(store: $0.key.store, .layer(id: $0.key.id)) }
            .sorted { "\($0)" < "\($1)" }
        return targets
    }
}
