extension ReclaimPlanner {
    /// Sums what goes, each layer, tree and group of metadata once.
    struct Account {
        private let snapshot: UsageSnapshot
        private let store: StoreIdentity
        private let overhead: OverheadUsage?
        /// Groups that were taken, and those that something names which stays.
        private var usedGroups: Set<String>
        private var sum = Measure.zero
        private(set) var taken: Set<LayerKey> = []
        private(set) var pieces: [ReclaimPlan.Piece] = []
        private(set) var doubts: [String] = []

        init(_ snapshot: UsageSnapshot, _ store: StoreIdentity, stayingGroups: Set<String>) {
            self.snapshot = snapshot
            self.store = store
            overhead = snapshot.overheads[store]
            usedGroups = stayingGroups
        }

        mutating func take(layer id: String) {
            let key = LayerKey(store: store, id: id)
            guard let layer = snapshot.layers[key], taken.insert(key).inserted else { return }
            add(layer.gross, in: layer.fact.directory)
            doubt("layer \(id)", layer.confidence)
            take(groups: layer.fact.metadata)
        }

        mutating func take(tree id: String) {
            let key = LayerKey(store: store, id: id)
            guard let tree = snapshot.trees[key], taken.insert(key).inserted else { return }
            add(tree.gross, in: tree.fact.directory)
            doubt(id, tree.confidence)
        }

        mutating func take(groups: [String]) {
            for group in groups where usedGroups.insert(group).inserted {
                guard let overhead, let measure = overhead.measure?.groups[group] else {
                    doubts.append("\(group) below \(store.root) is not measured yet")
                    continue
                }
                add(measure, in: overhead.fact.directory(ofGroup: group))
            }
        }

        /// What was taken since the last item.
        mutating func item(
            _ object: ReclaimTarget.Object, _ name: String, isImplied: Bool = false
        ) -> ReclaimPlan.Item {
            defer { sum = .zero }
            return ReclaimPlan.Item(
                target: ReclaimTarget(store: store, object), name: name, measure: sum, isImplied: isImplied)
        }

        private mutating func add(_ measure: Measure, in directory: String) {
            sum += measure
            pieces.append(
                ReclaimPlan.Piece(store: store, directory: directory, diskBytes: measure.diskBytes))
        }

        private mutating func doubt(_ what: String, _ confidence: Confidence) {
            guard confidence != .exact else { return }
            doubts.append("\(what) is \(confidence.word)" + (confidence.reason.map { ": \($0)" } ?? ""))
        }
    }
}
