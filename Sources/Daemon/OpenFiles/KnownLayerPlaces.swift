internal import Accounting
internal import Kernel

/// Where the layers of the host lie, found out again where there are others or the mounts changed; used by one thread.
///
/// With 12,000 layers it takes 20 ms to find out, and each status asks.
final class KnownLayerPlaces {
    private struct Known {
        var objects: UsageSnapshot.Objects
        var devices: [StoreIdentity: UInt64]
        var mounts: Int
        var places: LayerPlaces
    }

    private let mounts = CurrentMounts()
    private var known: Known?

    /// The places of the layers of a snapshot that may be written to, by the mounts of now; `nil` where these cannot be
    /// read.
    func places(in snapshot: UsageSnapshot) -> LayerPlaces? {
        guard let table = try? mounts.table() else { return nil }
        var devices: [StoreIdentity: UInt64] = [:]
        for source in snapshot.sources {
            devices[source.store] = try? FileStatus.of(path: source.store.root).identity.device
        }
        let objects = snapshot.objects
        if let known, known.mounts == mounts.readings, known.objects == objects, known.devices == devices {
            return known.places
        }
        let layers = Dictionary(
            snapshot.layers.values.lazy.filter { $0.fact.kind != .image }.map { ($0.key, $0.fact.directory) },
            uniquingKeysWith: { first, _ in first })
        let places = LayerPlaces(layers: layers, devices: devices, mounts: table)
        known = Known(objects: objects, devices: devices, mounts: mounts.readings, places: places)
        return places
    }
}
