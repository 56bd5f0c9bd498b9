internal import Accounting
internal import History
internal import Kernel
internal import Synchronization
internal import Tracking

/// Measures of image layers from one run to the next.
final class MeasureCache: Sendable {
    private struct State {
        var stored: [StoreIdentity: [String: CachedMeasure]] = [:]
        var wanted: Set<LayerKey> = []
        var unsaved: [StoreIdentity: [(id: String, CachedMeasure)]] = [:]
        var beingSaved = 0
    }

    private let storage: DaemonState
    private let state = Mutex(State())

    init(storage: DaemonState) {
        self.storage = storage
    }

    /// Reads what is stored of a store's layers; before the first ``measure(of:directory:)``, from a thread that
    /// may wait.
    func load(_ store: StoreIdentity) {
        let measures = storage.layerMeasures(of: store)
        state.withLock { $0.stored[store] = measures }
    }

    /// The stored measure of a layer, if its directory is still the one that was measured.
    func measure(of key: LayerKey, directory: String) -> LayerMeasure? {
        guard let stored = state.withLock({ $0.stored[key.store]?[key.id] }), stored.directory == directory,
            let root = try? FileStatus.of(path: directory), RootIdentity(root) == stored.root
        else { return nil }
        return stored.measure
    }

    /// Has the layer's next final measure stored.
    func want(_ key: LayerKey) {
        state.withLock { _ = $0.wanted.insert(key) }
    }

    /// Takes a report; a measure that is wanted is stored with the next ``save()``.
    func note(_ report: LayerReport) {
        guard report.isFinal, let root = report.root, case .measured(let measure, .exact) = report.outcome
        else { return }
        let cached = CachedMeasure(root: RootIdentity(root), directory: report.directory, measure: measure)
        state.withLock { state in
            guard state.wanted.remove(report.key) != nil else { return }
            state.unsaved[report.key.store, default: []].append((report.key.id, cached))
        }
    }

    /// Stores what was measured since the last call; it does not wait for the disk.
    func save() {
        let unsaved = state.withLock { state in
            state.beingSaved += state.unsaved.values.map(\.count).reduce(0, +)
            defer { state.unsaved = [:] }
            return state.unsaved
        }
        for (store, measures) in unsaved {
            storage.save(measures, of: store) { [self] in
                state.withLock { $0.beingSaved -= measures.count }
            }
        }
    }

    /// Image layers that a restart would measure again: those not measured yet, those whose blocks may still change,
    /// and those about to be stored.
    var missing: Int {
        state.withLock {
            $0.wanted.count + $0.unsaved.values.map(\.count).reduce(0, +) + $0.beingSaved
        }
    }

    func forget(_ ids: [String], of store: StoreIdentity) {
        state.withLock { state in
            for id in ids {
                state.wanted.remove(LayerKey(store: store, id: id))
                state.stored[store]?[id] = nil
            }
        }
        storage.removeLayers(ids, of: store)
    }
}

extension RootIdentity {
    init(_ status: FileStatus) {
        self.init(
            device: status.identity.device, inode: status.identity.inode, changed: status.changed)
    }
}
