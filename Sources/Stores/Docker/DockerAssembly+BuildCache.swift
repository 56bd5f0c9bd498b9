import Accounting
import Kernel

extension DockerAssembly {
    /// What BuildKit keeps: its directories in the driver's, and the layers that it alone still uses.
    mutating func add(_ cache: BuildCacheDatabase.Content) {
        let used = Set(imageFacts.flatMap(\.layers) + containerFacts.flatMap(\.chain))
        for index in layerFacts.indices where layerFacts[index].kind == .image {
            let layer = layerFacts[index]
            // It stays in `layerdb` for the cache's sake when its image is removed.
            guard cache.directories[directoryID(of: layer)] != nil else { continue }
            if used.contains(layer.id) {
                layerFacts[index].isCached = true
            } else {
                layerFacts[index].kind = .buildCache
            }
        }
        let start = layerFacts.endIndex
        for (id, entry) in cache.directories.sorted(by: { $0.key < $1.key }) where owners[id] == nil {
            let fact = LayerFact(
                id: id, kind: .buildCache, parent: entry.parent, directory: paths.differences(id),
                isWritable: !entry.isCommitted,
                mount: entry.isCommitted || entry.parent == nil ? nil : paths.mount(id),
                declaredSizeBytes: entry.isCommitted ? entry.size : nil)
            if let fault = place(fact, in: id) { notes.add(fault, of: .layer(id)) }
        }
        // Any of them may lie on any other.
        for index in layerFacts.indices[start...] {
            layerFacts[index].parent = layerFacts[index].parent.flatMap { parent in
                let below = cache.names[parent] ?? parent
                if let chainID = ObjectID.digest(below) { return ids.contains(chainID) ? chainID : nil }
                return owners[below]
            }
        }
        addContent()
    }

    private func directoryID(of layer: LayerFact) -> String {
        let parts = layer.directory.split(separator: "/")
        return String((paths.driver.isOverlay ? parts.dropLast().last : parts.last) ?? "")
    }

    /// The compressed content that BuildKit downloaded.
    private mutating func addContent() {
        guard let blobs = try? MetadataDirectory(path: paths.buildKit + "/content/blobs") else { return }
        notes.directories.append(blobs.path)
        for algorithm in blobs.names(where: ObjectID.isDirectoryID, &notes) {
            guard let directory = try? blobs.child(algorithm) else { continue }
            notes.directories.append(directory.path)
            for name in directory.names(where: ObjectID.isDirectoryID, &notes)
            where directory.status(of: name)?.kind == .regular && ids.insert("content:\(name)").inserted {
                layerFacts.append(
                    LayerFact(id: "content:\(name)", kind: .content, directory: "\(directory.path)/\(name)"))
            }
        }
        excluded.append("buildkit/content/blobs/*/*")
    }
}
