public import Accounting
import Kernel
import Synchronization

/// Reads the store of Podman, Buildah or CRI-O: containers-storage, with the driver `overlay` or `vfs`.
///
/// What is not in files that can be read without the engine is left out: labels, anonymous volumes and log paths
/// that Podman keeps in its database alone. The mounts of a container are known once it was started.
///
/// A container counts as running while its root file system or its shared memory is mounted. Mounts of a user
/// without privileges are in another mount namespace, so that such a container always counts as stopped.
///
/// The declared size of a layer is the length of its uncompressed tar stream, as `podman images` adds it up: larger
/// than the sum of its files by 512 to 1535 bytes for each entry, and 1024 at the end.
public final class ContainersStorageReader: StoreReader {
    public let identity: StoreIdentity

    private struct Caches {
        var layers = RecordList<LayerRecord>()
        var volatileLayers = RecordList<LayerRecord>()
        var images = RecordList<ImageRecord>()
        var containers = RecordList<ContainerRecord>()
        var volatileContainers = RecordList<ContainerRecord>()
        var transientLayers: [String: RecordList<LayerRecord>] = [:]
        var transientContainers: [String: RecordList<ContainerRecord>] = [:]
        var otherLayers: [String: RecordList<LayerRecord>] = [:]
        var configs = ImageConfigs()
        var userData = UserData()
        var directories = LayerDirectories()
    }

    private let paths: ContainersStoragePaths
    /// The root as it was given: the engine may know it by this name.
    private let givenRoot: String
    private let options: StoreOptions
    private let surroundings: ContainersStorageSurroundings
    private let caches = Mutex(Caches())

    /// Makes a reader for a graph root, for example `/var/lib/containers/storage`.
    ///
    /// The driver is the one whose directories are there by now; without any it is `overlay`.
    public init(
        root: String, options: StoreOptions = StoreOptions(),
        surroundings: ContainersStorageSurroundings = ContainersStorageSurroundings()
    ) {
        givenRoot = root
        let root = AbsolutePath.resolve(root)
        let driver = StorageDrivers(root: root).inUse ?? .overlay
        paths = ContainersStoragePaths(root: root, driver: driver)
        identity = StoreIdentity(engine: "containers-storage", driver: driver.rawValue, root: root)
        self.options = options
        self.surroundings = surroundings
    }

    public func read() -> StoreReading {
        do throws(MetadataFault) {
            _ = try MetadataDirectory(path: paths.root)
        } catch {
            let reason =
                error.isMissing
                ? "no such directory: give --store containers-storage=PATH or set graphroot in storage.conf"
                : error.reason
            return unreadable(paths.root, reason, watching: [AbsolutePath.nearestExisting(paths.root)])
        }
        let drivers = StorageDrivers(root: paths.root)
        if let driver = drivers.inUse, driver != paths.driver {
            return unreadable(
                paths.layers,
                "the store is one of the driver \(driver.rawValue) by now: restart the daemon to read it",
                watching: layoutDirectories())
        }
        guard StorageDriver.readable.contains(paths.driver) else {
            return unreadable(
                paths.layers,
                "the engine uses the storage driver \(paths.driver.rawValue); only overlay and vfs can be read",
                watching: layoutDirectories())
        }
        return caches.withLock { read(drivers, &$0) }
    }

    private func read(_ drivers: StorageDrivers, _ caches: inout Caches) -> StoreReading {
        var notes = ReadingNotes()
        notes.directories = layoutDirectories()
        for driver in drivers.withLayers where driver != paths.driver {
            let other = ContainersStoragePaths(root: paths.root, driver: driver)
            let reason =
                "the store has layers of the driver \(driver.rawValue) as well, which the engine does not use now; "
                + "they are counted as overhead: remove them, or give the engine another graph root"
            notes.add(.damaged(other.layers, reason), of: .store)
        }
        // Users before what they use: an engine makes a layer before what lies on it. Directories come before the
        // layers, for the engine names a layer before it makes the directory.
        var contents = ContainersStorageContents()
        let containers = MetadataDirectory.watched(paths.containers, &notes)
        contents.containers = caches.containers.read(containers, "containers.json", &notes)
        contents.containers.merge(
            caches.volatileContainers.read(containers, "volatile-containers.json", &notes)
        ) { first, _ in first }
        let images = MetadataDirectory.watched(paths.images, &notes)
        contents.images = caches.images.read(images, "images.json", &notes)
        var transientContainers: [ContainerRecord] = []
        for runRoot in surroundings.runRoots {
            let path = "\(runRoot)/\(paths.driver.rawValue)-containers"
            transientContainers +=
                caches.transientContainers[runRoot, default: RecordList()].read(
                    MetadataDirectory.watched(path, &notes), "volatile-containers.json", &notes
                ).values
        }
        let data = MetadataDirectory.watched(paths.data, &notes)
        let listed = data?.names { (_: FileName) in true }
        if let fault = listed?.fault { notes.add(fault, of: .store) }
        contents.directories = listed?.names ?? []

        let layers = MetadataDirectory.watched(paths.layers, &notes)
        contents.layers = caches.layers.read(layers, "layers.json", &notes)
        contents.layers.merge(caches.volatileLayers.read(layers, "volatile-layers.json", &notes)) {
            first, _ in
            first
        }
        contents.knowsLayers =
            caches.layers.isComplete && caches.volatileLayers.isComplete && listed?.fault == nil
        for runRoot in surroundings.runRoots {
            addTransient(runRoot, transientContainers, data, &contents, &caches, &notes)
        }
        contents.layerFiles = layers.map { $0.names { (_: FileName) in true }.names } ?? []
        for other in surroundings.otherStores where AbsolutePath.resolve(other) != paths.root {
            // What is wrong with the other store is for its own reader to say.
            var others = ReadingNotes()
            let directory = MetadataDirectory.watched("\(other)/\(paths.driver.rawValue)-layers", &others)
            contents.otherLayers.formUnion(
                caches.otherLayers[other, default: RecordList()].read(directory, "layers.json", &others).keys)
            notes.directories += others.directories
            notes.filesRead += others.filesRead
        }

        if let unmounted = unmounted(contents, data, watching: notes.directories) { return unmounted }
        contents.configs = caches.configs.read(paths, contents.images, &notes)
        contents.userData = caches.userData.read(paths, Set(contents.containers.keys), &notes)
        contents.volumes = VolumeDirectories.read(paths, &notes)
        caches.directories.startPass()
        var assembly = ContainersStorageAssembly(
            paths: paths, volumes: givenRoot + "/volumes", data: data, contents: contents, options: options,
            directories: caches.directories, notes: notes)
        assembly.assemble()
        caches.directories = assembly.directories
        return assembly.reading(identity)
    }

    /// Adds what an engine keeps in memory alone, as with `transient_store`; another store may share the run root.
    private func addTransient(
        _ runRoot: String, _ containers: [ContainerRecord], _ data: MetadataDirectory?,
        _ contents: inout ContainersStorageContents, _ caches: inout Caches, _ notes: inout ReadingNotes
    ) {
        let directory = MetadataDirectory.watched("\(runRoot)/\(paths.driver.rawValue)-layers", &notes)
        let layers = caches.transientLayers[runRoot, default: RecordList()].read(
            directory, "volatile-layers.json", &notes)
        if let data {
            contents.layers.merge(layers.filter { data.missingDirectory($0.key) == nil }) { first, _ in first
            }
        }
        for container in containers
        where contents.containers[container.id] == nil && contents.layers[container.layer] != nil {
            contents.containers[container.id] = container
        }
        if caches.transientLayers[runRoot]?.isComplete == false { contents.knowsLayers = false }
    }

    /// A store whose layers are all gone is more likely one whose file system is not mounted.
    private func unmounted(
        _ contents: ContainersStorageContents, _ data: MetadataDirectory?, watching: [String]
    ) -> StoreReading? {
        let named = contents.layers.filter { !$0.value.isIncomplete }.keys
        guard let first = named.min() else { return nil }
        if let data, named.contains(where: { data.missingDirectory($0) == nil }) { return nil }
        return unreadable(
            paths.data,
            "it holds none of the layers that \(paths.driver.rawValue)-layers names, \(ObjectID.quoted(first)) for "
                + "one; is it mounted?", watching: watching)
    }

    /// The fixed directories of the layout, or of each that is missing the nearest above it.
    private func layoutDirectories() -> [String] {
        let wanted = [paths.root, paths.layers, paths.images, paths.containers, paths.data, paths.volumes]
        return wanted.map(AbsolutePath.nearestExisting)
    }

    private func unreadable(_ path: String, _ reason: String, watching: [String]) -> StoreReading {
        StoreReading(unreadable: path, reason, of: identity, watching: watching)
    }
}

/// Where else an engine keeps what belongs to a store.
public struct ContainersStorageSurroundings: Hashable, Sendable {
    /// Where it keeps what does not outlast a start of the host.
    public var runRoots: [String]
    /// Stores whose layers may lie below those of this one: `imagestore`, `additionalimagestores`.
    public var otherStores: [String]

    public init(runRoots: [String] = [], otherStores: [String] = []) {
        self.runRoots = runRoots
        self.otherStores = otherStores
    }
}

/// What the parts of a store said, before it is put together.
struct ContainersStorageContents {
    var containers: [String: ContainerRecord] = [:]
    var images: [String: ImageRecord] = [:]
    var layers: [String: LayerRecord] = [:]
    /// Whether every layer that the engine knows is among them, so that a directory of another is nobody's.
    var knowsLayers = true
    /// The layers of other stores that this one may lie on.
    var otherLayers: Set<String> = []
    /// The entries of the driver's directory, read before the layers.
    var directories: [FileName] = []
    /// The entries of `overlay-layers`.
    var layerFiles: [FileName] = []
    var configs: [String: ImageConfigs.Entry] = [:]
    var userData = UserData.Result()
    var volumes = VolumeDirectories.Result()
}
