internal import Accounting
internal import Wire

/// The objects that a status lists: all of them, or those that take most.
struct StatusLists {
    let images: [ImageUsage]
    let containers: [ContainerUsage]
    let volumes: [VolumeUsage]
    let orphans: [LayerUsage]
    /// How many of each are left out; `nil` where nothing may be.
    let omitted: Omitted?

    init(_ snapshot: UsageSnapshot, top: Int?) {
        let orphans = snapshot.orphans
        guard let top else {
            images = Array(snapshot.images)
            containers = Array(snapshot.containers)
            volumes = Array(snapshot.volumes)
            self.orphans = orphans
            omitted = nil
            return
        }
        images = Self.largest(top, of: snapshot.images) { ($0.virtual.diskBytes, $0.fact.id) }
        containers = Self.largest(top, of: snapshot.containers) {
            ($0.writable.diskBytes, "\($0.fact.name) \($0.fact.id)")
        }
        volumes = Self.largest(top, of: snapshot.volumes) { ($0.measure?.diskBytes ?? 0, $0.fact.name) }
        self.orphans = Self.largest(top, of: orphans) { ($0.charged.diskBytes, $0.key.id) }
        omitted = Omitted(
            images: snapshot.images.count - images.count,
            containers: snapshot.containers.count - containers.count,
            volumes: snapshot.volumes.count - volumes.count, orphans: orphans.count - self.orphans.count)
    }

    /// The first so many by descending bytes, then by name.
    private static func largest<Objects: RandomAccessCollection>(
        _ count: Int, of objects: Objects, by key: (Objects.Element) -> (bytes: Int64, name: String)
    ) -> [Objects.Element] {
        guard count > 0 else { return [] }
        // Objects are large: their keys alone are sorted.
        return zip(objects, objects.indices).map { (key: key($0), place: $1) }
            .sorted { ($1.key.bytes, $0.key.name) < ($0.key.bytes, $1.key.name) }
            .prefix(count).map { objects[$0.place] }
    }
}

extension UsageSnapshot {
    /// Layers that no metadata names, in the order of the stores, then by id.
    var orphans: [LayerUsage] {
        guard totals.orphans.count > 0 else { return [] }
        return layers.values.filter { $0.fact.kind == .orphan }
            .sorted { ($0.key.store, $0.key.id) < ($1.key.store, $1.key.id) }
    }
}
