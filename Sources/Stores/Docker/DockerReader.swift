public import Accounting
import Kernel
import Synchronization

/// Reads the store of a Docker engine with one of the graph drivers `overlay2`, `fuse-overlayfs`, `btrfs` and `vfs`.
///
/// What an object's files said is kept until the files change, so that reading again costs a listing of the
/// directories and a status of each file. What was known of an object whose file went bad is kept, and said to
/// be damaged.
public final class DockerReader: StoreReader {
    public let identity: StoreIdentity

    private struct Caches {
        var directories = DriverDirectory()
        var names = RepositoryNames()
        var images = ImageDatabase()
        var layers = LayerDatabase()
        var mounts = MountDatabase()
        var containers = ContainerDirectory()
        var volumes = VolumeDirectory()
        var buildCache = BuildCacheDatabase()
        var unnamed = UnnamedDirectories()
    }

    private let paths: DockerPaths
    private let options: StoreOptions
    private let caches = Mutex(Caches())

    /// Makes a reader for a data root, for example `/var/lib/docker`, and the driver that is in use there now.
    ///
    /// Where no engine has started yet it is `overlay2`, which an engine takes by itself. ``identity`` stays as it is:
    /// once another driver is in use, each reading says so.
    public convenience init(root: String, options: StoreOptions = StoreOptions()) {
        let root = AbsolutePath.resolve(root)
        var driver = DockerDriver.overlay2
        if case .readable(let found)? = try? DockerDriverChoice.find(root) { driver = found }
        self.init(root: root, driver: driver, options: options)
    }

    init(root: String, driver: DockerDriver, options: StoreOptions = StoreOptions()) {
        let root = AbsolutePath.resolve(root)
        identity = StoreIdentity(engine: "docker", driver: driver.rawValue, root: root)
        paths = DockerPaths(root: root, driver: driver)
        self.options = options
    }

    public func read() -> StoreReading {
        let root: MetadataDirectory
        do throws(MetadataFault) {
            root = try MetadataDirectory(path: paths.root)
        } catch {
            let advice =
                error.isMissing
                ? "no such directory: give --store docker=PATH or set data-root" : error.reason
            return unreadable(paths.root, advice, watching: [AbsolutePath.nearestExisting(paths.root)])
        }
        do throws(MetadataFault) {
            let choice = try DockerDriverChoice.find(paths.root)
            if let reason = choice.fault(forReaderOf: .readable(paths.driver)) {
                return unreadable(paths.drivers, reason, watching: layoutDirectories())
            }
            return read(root, try MetadataDirectory(path: paths.metadata))
        } catch {
            guard error.isMissing else {
                return unreadable(error.path, error.reason, watching: layoutDirectories())
            }
            return DockerAbsence(paths: paths, root: root).reading(identity, watching: layoutDirectories())
        }
    }

    private func read(_ root: MetadataDirectory, _ metadata: MetadataDirectory) -> StoreReading {
        caches.withLock { caches in
            var notes = ReadingNotes()
            notes.directories = layoutDirectories()
            // Before what names it: what is there now and unnamed later was made or removed meanwhile, and is young.
            let listing = caches.directories.read(paths, &notes)
            // Users before what they use: an engine makes a layer before the image on it, and removes it after.
            // What is missing then was removed while this read, or is damage.
            let names = caches.names.read(metadata, &notes)
            let containers = caches.containers.read(paths, &notes)
            let volumes = caches.volumes.read(paths, &notes)
            let buildCache = caches.buildCache.read(paths, &notes)
            let mounts = caches.mounts.read(paths, &notes)
            let images = caches.images.read(paths, &notes)
            let layers = caches.layers.read(paths, &notes)
            if names == nil, !images.isEmpty {
                let path = paths.metadata + "/repositories.json"
                notes.add(.pending(path, "it does not exist: the images have no names"), of: .store)
            }

            var data: MetadataDirectory?
            do throws(MetadataFault) {
                data = try MetadataDirectory(path: paths.data)
            } catch {
                if !layers.isEmpty || !mounts.isEmpty {
                    return unmounted(error.path, error.reason, watching: notes.directories)
                }
            }
            if let data, !layers.isEmpty || !mounts.isEmpty,
                data.isEmpty(but: paths.driver.reservedName ?? "")
            {
                return unmounted(data.path, "it is empty", watching: notes.directories)
            }
            let now = realtimeNanoseconds()
            var assembly = DockerAssembly(
                paths: paths, data: data, chains: LayerChains(layers),
                horizon: now &- Int64(options.graceSeconds * 1e9), links: listing.links, notes: notes)
            assembly.addTrees(containers: containers, volumes: volumes)
            assembly.add(layers: layers)
            assembly.add(images: images, names: names ?? [:], layers: layers)
            assembly.add(mounts: mounts, containers: containers)
            assembly.add(buildCache)
            let isJudged =
                buildCache.isComplete && layers.values.allSatisfy { $0.cacheID != nil }
                && mounts.values.allSatisfy { $0.mountID != nil } && AbsolutePath.isDirectory(paths.layers)
            assembly.add(
                caches.unnamed.judge(
                    listing.names, but: assembly.named, below: data, now: now,
                    orphanSeconds: isJudged ? options.orphanSeconds : nil))
            assembly.addOverhead()
            return assembly.reading(identity)
        }
    }

    /// The fixed directories of the layout, or of each that is missing the nearest above it.
    private func layoutDirectories() -> [String] {
        let wanted = [
            paths.root, paths.drivers, paths.metadata, paths.layers, paths.mounts, paths.imageConfigs,
            paths.imageMetadata, paths.containers, paths.data, paths.volumes, paths.buildKit,
            paths.rootFileSystems,
        ]
        return wanted.map(AbsolutePath.nearestExisting)
    }

    private func unmounted(_ path: String, _ fault: String, watching: [String]) -> StoreReading {
        unreadable(
            path, "\(fault), but image/\(paths.driver.rawValue) names layers in it; is it mounted?",
            watching: watching)
    }

    private func unreadable(_ path: String, _ reason: String, watching: [String]) -> StoreReading {
        StoreReading(unreadable: path, reason, of: identity, watching: watching)
    }
}
