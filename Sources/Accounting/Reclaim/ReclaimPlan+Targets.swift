extension ReclaimPlan {
    /// Plans the removal of exactly these objects from what a snapshot knows.
    ///
    /// An inode with several names comes free with the last of them: one that something holds which stays is among
    /// ``stays``, and so is one whose other names are nowhere in the books. Of one with names in several layers that
    /// all go it is not known whether more are elsewhere, which is among the ``doubts``.
    public init(_ targets: [ReclaimTarget], of snapshot: UsageSnapshot) {
        var going: Set<LayerKey> = []
        for source in snapshot.sources where targets.contains(where: { $0.store == source.store }) {
            var planner = ReclaimPlanner(snapshot, source.store, targets)
            let gone = planner.add(to: &self)
            going.formUnion(gone)
            if let shared = snapshot.sharedExtents[source.store], !shared.chargedElsewhere.isEmpty,
                !gone.isEmpty
            {
                doubts.append(
                    "files of \(source.store.root) share blocks, which come free with the last that has them")
            }
        }
        total = items.map(\.measure).sum()
        holdLinkedFiles(going, snapshot)
    }

    private struct Names {
        var going: [LayerKey] = []
        var staying: LayerKey?
        var measure = Measure.zero
    }

    private mutating func holdLinkedFiles(_ going: Set<LayerKey>, _ snapshot: UsageSnapshot) {
        var names: [InodeKey: Names] = [:]
        for key in going {
            for (inode, measure) in snapshot.linkedOutside(key) {
                names[inode, default: Names(measure: measure)].going.append(key)
            }
        }
        guard !names.isEmpty else { return }
        let others = Set(snapshot.layers.values.map(\.key)).union(snapshot.trees.values.map(\.key))
            .subtracting(going)
        for key in others {
            for inode in snapshot.linkedOutside(key).keys where names[inode] != nil {
                names[inode]?.staying = key
            }
        }
        var unsure = Measure.zero
        var held: [String: (key: LayerKey, measure: Measure)] = [:]
        for (_, inode) in names {
            guard let first = inode.going.min(by: { $0.id < $1.id }) else { continue }
            // Each of those that go was counted with all of it.
            for key in inode.going where key != first || inode.going.count == 1 || inode.staying != nil {
                total -= inode.measure
                let directory = snapshot.directory(of: key) ?? key.store.root
                pieces.append(
                    Piece(store: key.store, directory: directory, diskBytes: -inode.measure.diskBytes))
            }
            guard inode.staying != nil || inode.going.count == 1 else {
                unsure += inode.measure
                continue
            }
            let holder = inode.staying.map { "\($0.id) has them as well" }
            let reason = holder ?? "they have names outside of what goes"
            held["\(first.id) \(reason)", default: (first, .zero)].measure += inode.measure
        }
        if unsure != .zero {
            doubts.append(
                """
                \(unsure.diskBytes) bytes are of files with names in several layers that all go; they come free unless \
                one has a name elsewhere too
                """)
        }
        for (text, file) in held.sorted(by: { $0.key < $1.key }) {
            let reason = "files of it stay: " + text.dropFirst(file.key.id.count + 1)
            stays.append(
                Stay(
                    kind: .file, store: file.key.store, id: file.key.id, measure: file.measure, reason: reason
                ))
        }
    }
}

extension UsageSnapshot {
    fileprivate func linkedOutside(_ key: LayerKey) -> [InodeKey: Measure] {
        layers[key]?.linkedOutside ?? trees[key]?.linkedOutside ?? [:]
    }

    fileprivate func directory(of key: LayerKey) -> String? {
        layers[key]?.fact.directory ?? trees[key]?.fact.directory
    }
}
