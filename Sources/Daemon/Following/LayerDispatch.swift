internal import Accounting
internal import Tracking

/// Has each layer looked at in the way that fits its kind: a writable one is followed as trees are, any other is measured
/// once, and an image's is taken from the cache where it is the same as before.
struct LayerDispatch: Sendable {
    let books: UsageBooks
    let tracking: TrackingService
    let cache: MeasureCache
    let counters: DaemonCounters
    let overlay: OverlaySilence

    /// Looks at what came and lets go of what went; the books know the changes already.
    func apply(_ changes: Ledger.LayerChanges, of store: StoreIdentity) {
        for layer in changes.removed { tracking.forget(LayerKey(store: store, id: layer.id)) }
        for tree in changes.removedTrees { tracking.forget(LayerKey(store: store, id: tree.id)) }
        let stays = Set(changes.added.map(\.id))
        cache.forget(
            changes.removed.filter { $0.kind == .image && !stays.contains($0.id) }.map(\.id), of: store)
        for layer in changes.added { look(at: layer, LayerKey(store: store, id: layer.id)) }
        for tree in changes.addedTrees {
            tracking.track(
                LayerKey(store: store, id: tree.id), directory: tree.directory, entries: tree.entries)
        }
    }

    /// Takes which containers run, for those whose events depend on where their layer is mounted.
    func note(_ containers: [ContainerFact], of store: StoreIdentity) {
        guard overlay.reason(driver: store.driver) != nil else { return }
        for container in containers {
            tracking.setRunning(container.isRunning, LayerKey(store: store, id: container.layer))
        }
    }

    private func look(at layer: LayerFact, _ key: LayerKey) {
        if layer.isWritable {
            tracking.track(
                key, directory: layer.directory, silence: overlay.reason(driver: key.store.driver),
                mount: layer.mount)
            return
        }
        if layer.kind == .image {
            if let measure = cache.measure(of: key, directory: layer.directory) {
                counters.countFromCache()
                books.record(key, measure)
                return
            }
            cache.want(key)
        }
        tracking.measure(key, directory: layer.directory)
    }
}
