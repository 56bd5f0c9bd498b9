public import Accounting
public import Kernel

extension DockerStoreBuilder {
    /// Adds a snapshot of BuildKit's that is no layer yet, on a layer of an image or on another such snapshot.
    ///
    /// A committed one has a name of its own, besides that of its directory.
    @discardableResult
    public mutating func addBuildCache(
        _ content: LayerContent, on parent: String? = nil, isCommitted: Bool
    ) throws(KernelError) -> LayerFact {
        let id = newSnapshotID()
        let directory = try makeDriverDirectory(id, on: parent)
        try content.write(below: directory)
        let own = "\(root)/\(driver)/\(id)"
        let layer = LayerFact(
            id: id, kind: .buildCache, parent: parent, directory: directory, isWritable: !isCommitted,
            isFullCopy: !isOverlay,
            mount: isOverlay && !isCommitted && parent != nil
                ? OverlayMount(merged: own + "/merged", work: own + "/work") : nil,
            declaredSizeBytes: isCommitted ? Int64(content.sizeBytes) : nil, metadata: groups(of: id))
        layers[id] = layer
        directoryIDs[id] = id
        let below = parent.map { snapshotNames[$0] ?? ($0.count == 64 ? "sha256:\($0)" : $0) } ?? ""
        snapshots[id, "parent"] = .text(below)
        if isCommitted {
            let name = newSnapshotID()
            snapshotNames[id] = name
            snapshots[id, "iscommitted"] = .text("")
            snapshots[name, "committed"] = .text(id)
            snapshots[name, "size"] = .text("\(content.sizeBytes)")
        }
        try writeSnapshots()
        return layer
    }

    /// Has BuildKit name a layer that is an image's too, as after a build.
    public mutating func keepInBuildCache(_ layer: LayerFact) throws(KernelError) {
        guard let directory = directoryIDs[layer.id] else { return }
        let name = newSnapshotID()
        snapshots[directory, "iscommitted"] = .text("")
        snapshots[directory, "parent"] = .text(layer.parent.map { "sha256:\($0)" } ?? "")
        snapshots[name, "committed"] = .text(directory)
        snapshots[name, "chainid"] = .text("sha256:\(layer.id)")
        layers[layer.id]?.isCached = true
        try writeSnapshots()
    }

    /// Removes a snapshot that is no layer, as pruning does: its record, then its directory.
    public mutating func removeBuildCache(_ id: String) throws(KernelError) {
        snapshots[id] = nil
        if let name = snapshotNames.removeValue(forKey: id) { snapshots[name] = nil }
        try writeSnapshots()
        try removeDriverDirectory(id)
        layers[id] = nil
        directoryIDs[id] = nil
    }

    private mutating func writeSnapshots() throws(KernelError) {
        try StoreFiles.makeDirectory(root + "/buildkit")
        var file = snapshotFile ?? BoltFileBuilder()
        file.commit(snapshots)
        snapshotFile = file
        try StoreFiles.write(file.bytes, to: root + "/buildkit/snapshots.db")
    }

    /// 25 digits of base 36, as BuildKit makes them.
    private mutating func newSnapshotID() -> String {
        let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz")
        return String((0..<25).map { _ in alphabet[Int(generator.next() % 36)] })
    }
}
