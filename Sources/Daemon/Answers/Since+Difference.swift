internal import Accounting
internal import Wire

extension Since {
    /// What changed from a mark to a snapshot, and how much of what `df` moved it explains.
    init(
        from mark: Mark, name: String, to snapshot: UsageSnapshot, fileSystems: [FileSystem],
        mounts: [StoreIdentity: String], time: String, exact: Bool
    ) {
        let difference = MarkDifference(from: mark, to: snapshot)
        let instructions = Self.instructions(snapshot)
        let attributed = difference.total.diskBytes
        self.init(
            time: time, exact: exact && mark.isExact, mark: name,
            since: WireCoding.timestamp(wallNanoseconds: mark.wall),
            layersAdded: difference.layersAdded.map { LayerChange($0, snapshot, instructions) },
            layersRemoved: difference.layersRemoved.map { LayerChange($0, snapshot, instructions) },
            containers: difference.containers.map(ContainerChange.init),
            totals: Change(difference.total),
            filesystems: fileSystems.compactMap { system in
                guard let before = mark.usedBytes[system.mount] else { return nil }
                let used = system.usedBytes - before
                // A change is known over all layers; with one file system it is that one's.
                let part =
                    fileSystems.count == 1 ? attributed : Self.attributed(mark, system, mounts, snapshot)
                return FileSystemChange(
                    mount: system.mount, usedBytes: used, attributedBytes: part, otherBytes: used - part)
            })
    }

    private static func instructions(_ snapshot: UsageSnapshot) -> [LayerKey: String] {
        var instructions: [LayerKey: String] = [:]
        for image in snapshot.images {
            for step in image.fact.history {
                guard let layer = step.layer else { continue }
                instructions[LayerKey(store: image.store, id: layer)] = step.instruction
            }
        }
        return instructions
    }

    private static func attributed(
        _ mark: Mark, _ system: FileSystem, _ mounts: [StoreIdentity: String], _ snapshot: UsageSnapshot
    ) -> Int64 {
        let now = snapshot.layers.values.filter { mounts[$0.key.store] == system.mount }.map(\.charged)
        let before = mark.layers.filter { mounts[$0.key.store] == system.mount }.map(\.value.measure)
        return (now.sum() - before.sum()).diskBytes
    }
}

extension Since.LayerChange {
    init(
        _ change: MarkDifference.LayerChange, _ snapshot: UsageSnapshot, _ instructions: [LayerKey: String]
    ) {
        let users = snapshot.layers[change.key]?.images ?? []
        let names = snapshot.images.filter { $0.store == change.key.store && users.contains($0.fact.id) }
            .flatMap(\.fact.names)
        self.init(
            engine: change.key.store.engine, id: change.key.id, kind: change.kind.rawValue,
            instruction: instructions[change.key], images: names, diskBytes: change.measure.diskBytes,
            sizeBytes: change.measure.sizeBytes)
    }
}

extension Since.ContainerChange {
    init(_ change: MarkDifference.ContainerChange) {
        let kind: Kind =
            switch change.kind {
            case .added: .added
            case .removed: .removed
            case .changed: .changed
            }
        self.init(
            change: kind, engine: change.key.store.engine, root: change.key.store.root,
            id: change.key.id, name: change.name,
            diskBytes: change.change.diskBytes, sizeBytes: change.change.sizeBytes)
    }
}
