internal import Accounting
internal import Wire

/// The steps an image was built by, each with what it added.
struct ImageHistory {
    private let snapshot: UsageSnapshot
    private let byID: [String: ImageUsage]

    /// Looks at the images of one store.
    init(_ snapshot: UsageSnapshot, of store: StoreIdentity) {
        self.snapshot = snapshot
        byID = Dictionary(
            snapshot.images.filter { $0.store == store }.map { ($0.fact.id, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The chain of parents, the direct one first; it ends where the store's metadata makes a ring.
    func parents(of image: ImageUsage) -> [ImageUsage] {
        var parents: [ImageUsage] = []
        var seen: Set<String> = [image.fact.id]
        var next = image.fact.parent
        while let id = next, seen.insert(id).inserted, let parent = byID[id] {
            parents.append(parent)
            next = parent.fact.parent
        }
        return parents
    }

    /// The steps, the oldest first.
    func steps(of image: ImageUsage) -> [ImageDetail.Step] {
        // An image of the chain yielded the step that its own history ends with.
        var yielded = [image.fact.history.count: image.fact.id]
        for parent in parents(of: image)
        where image.fact.history.starts(with: parent.fact.history, by: { $0.layer == $1.layer }) {
            yielded[parent.fact.history.count] = yielded[parent.fact.history.count] ?? parent.fact.id
        }
        var running: Int64 = 0
        return image.fact.history.enumerated().map { index, step in
            let layer = step.layer.flatMap { snapshot.layers[LayerKey(store: image.store, id: $0)] }
            let added = layer?.gross ?? .zero
            running = running.addingClamped(added.sizeBytes)
            return ImageDetail.Step(
                instruction: step.instruction, created: step.created, layer: step.layer,
                image: yielded[index + 1], sizeBytes: added.sizeBytes, diskBytes: added.diskBytes,
                runningSizeBytes: running)
        }
    }
}
