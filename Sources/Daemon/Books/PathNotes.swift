internal import Accounting

/// Paths of writable layers that changed since anyone was told, bounded for each layer.
struct PathNotes {
    private static let limit = 64

    private var bytes: [LayerKey: [String: Int64]] = [:]

    mutating func add(_ paths: [PathGrowth], to layer: LayerKey) {
        guard !paths.isEmpty else { return }
        var known = bytes.removeValue(forKey: layer) ?? [:]
        for path in paths {
            known[path.path] = (known[path.path] ?? 0).addingClamped(path.diskBytes)
        }
        if known.count > Self.limit {
            let kept = known.sorted { ($0.value.magnitude, $1.key) > ($1.value.magnitude, $0.key) }
                .prefix(Self.limit / 2)
            known = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
        }
        bytes[layer] = known
    }

    /// What is noted of the containers of a snapshot, by container, the largest changes first; the rest is
    /// dropped.
    mutating func take(_ snapshot: UsageSnapshot) -> [ContainerKey: [PathGrowth]] {
        guard !bytes.isEmpty else { return [:] }
        var result: [ContainerKey: [PathGrowth]] = [:]
        for (layer, paths) in bytes {
            for container in snapshot.containers(writing: layer) {
                result[container] = paths.filter { $0.value != 0 }
                    .map { PathGrowth(path: $0.key, diskBytes: $0.value) }
                    .sorted { ($0.diskBytes.magnitude, $1.path) > ($1.diskBytes.magnitude, $0.path) }
            }
        }
        bytes = [:]
        return result
    }
}
