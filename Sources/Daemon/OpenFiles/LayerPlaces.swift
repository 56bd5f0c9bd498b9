internal import Accounting
internal import Kernel

/// Tells which layer and which file system an open file's blocks belong to, by the mount it was opened by.
///
/// What a process can make up is not believed. A container that may make user namespaces can mount an overlay of its
/// own with an `upperdir` that names another container's directory, or make a path that looks like one on the host.
/// But it can neither choose the device number that the kernel gives to an overlay, nor mount anything in a mount
/// namespace that the host's user namespace owns. So:
///
/// - An overlay is known by its device number, which is the same in every namespace that it is mounted in. Which
///   layer is behind the number is read from this process's own mounts, where the engine's mounts show, and where its
///   paths mean what they say.
/// - Where the engine mounts in a namespace of its own, any namespace that the host's user namespace owns will do, as
///   long as no other overlay has that layer already.
/// - A file of a store's file system is known by its path within the file system: what is mounted (`root` in
///   `mountinfo`) and the path below the mount point, both told by the kernel, who walks up from the file itself.
struct LayerPlaces {
    struct Place: Hashable {
        var device: UInt64
        var layer: LayerKey?
    }

    /// `st_dev` of file systems that hold stores, by their number in tables of mounts; on btrfs they differ.
    private var volumes: [UInt64: UInt64] = [:]
    private var layersByPath: [UInt64: [String: LayerKey]] = [:]
    private var layersByUpper: [String: (layer: LayerKey, device: UInt64)] = [:]
    /// By the overlay's device number.
    private(set) var overlays: [UInt64: Place] = [:]
    private var placed: Set<LayerKey> = []

    /// - Parameters:
    ///   - layers: Directories of the layers that may be written to.
    ///   - devices: `st_dev` of each store's root.
    ///   - mounts: The mounts of this process.
    init(layers: [LayerKey: String], devices: [StoreIdentity: UInt64], mounts: MountTable) {
        var roots: [StoreIdentity: (mount: MountTable.Mount, device: UInt64)] = [:]
        for (store, device) in devices {
            guard let mount = mounts.mount(holding: store.root) else { continue }
            volumes[mount.device] = device
            roots[store] = (mount, device)
        }
        var merged: [String: (layer: LayerKey, device: UInt64)] = [:]
        for (layer, directory) in layers {
            guard let (mount, device) = roots[layer.store] else { continue }
            if let path = Self.path(directory, in: mount) { layersByPath[device, default: [:]][path] = layer }
            layersByUpper[directory] = (layer, device)
            // An engine with many layers gives options relative to its own directory.
            if let slash = directory.lastIndex(of: "/") {
                merged["\(directory[..<slash])/merged"] = (layer, device)
            }
        }
        for mount in mounts.mounts where mount.type == "overlay" {
            let named = mount.option("upperdir").flatMap { layersByUpper[$0] }
            guard let (layer, device) = named ?? merged[mount.path] else { continue }
            add(layer, device, mount)
        }
    }

    private mutating func add(_ layer: LayerKey, _ device: UInt64, _ mount: MountTable.Mount) {
        guard overlays[mount.device] == nil, placed.insert(layer).inserted else { return }
        overlays[mount.device] = Place(device: device, layer: layer)
    }

    /// Whether files of a mount are wanted; it then holds a layer, or is of a store's file system.
    mutating func isWanted(_ mount: MountTable.Mount, _ trust: MountTrust) -> Bool {
        guard mount.type == "overlay" else { return volumes[mount.device] != nil }
        if overlays[mount.device] != nil { return true }
        guard trust == .host, let (layer, device) = mount.option("upperdir").flatMap({ layersByUpper[$0] })
        else {
            return false
        }
        add(layer, device, mount)
        return overlays[mount.device] != nil
    }

    /// Where a file lies whose mount is wanted.
    func place(of file: OpenFileScan.File) -> Place? {
        if file.mount.type == "overlay" { return overlays[file.mount.device] }
        guard let device = volumes[file.mount.device] else { return nil }
        let path = Self.path(String(decoding: file.path, as: UTF8.self), in: file.mount)
        return Place(device: device, layer: path.flatMap { layer(holding: $0, on: device) })
    }

    private func layer(holding path: String, on device: UInt64) -> LayerKey? {
        guard let layers = layersByPath[device] else { return nil }
        var rest = path[...]
        while let slash = rest.lastIndex(of: "/") {
            rest = rest[..<slash]
            if let layer = layers[String(rest)] { return layer }
        }
        return nil
    }

    /// The path within the file system of a path below a mount point.
    private static func path(_ path: String, in mount: MountTable.Mount) -> String? {
        guard mount.holds(path) else { return nil }
        let below = mount.path == "/" ? path : String(path.dropFirst(mount.path.count))
        return mount.root == "/" ? below : mount.root + below
    }
}
