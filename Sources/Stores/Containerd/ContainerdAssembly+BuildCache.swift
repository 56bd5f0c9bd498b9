import Accounting

extension ContainerdAssembly {
    /// Says what BuildKit's records hold: the blobs, the snapshots, and those that such a one lies on.
    ///
    /// What nothing else holds is its cache. `others` are the layers that something holds which is not told here.
    mutating func markBuildCache(but others: Set<String> = []) {
        var used = others.union(images.flatMap(\.layers))
        for container in containers {
            used.formUnion(container.chain + [container.layer, container.initLayer].compactMap(\.self))
        }
        var cached: Set<String> = []
        for content in databases.metadata.namespaces.values {
            cached.formUnion(content.buildContent.compactMap { contentIDs[$0] })
            for (name, records) in content.buildRecords {
                guard let snapshotter = Snapshotter(rawValue: name) else { continue }
                for record in records {
                    guard let key = content.snapshots[name]?[record] else { continue }
                    cached.formUnion(
                        chain(from: key, snapshotter).compactMap { placed[snapshotter]?[$0]?.id })
                }
            }
        }
        for index in layers.indices where cached.contains(layers[index].id) {
            let isUsed = used.contains(layers[index].id)
            switch layers[index].kind {
            case .image where isUsed, .content: layers[index].isCached = true
            case .image: layers[index].kind = .buildCache
            case .container where !isUsed: layers[index].kind = .buildCache
            default: break
            }
        }
    }
}
