public import Accounting
import Kernel
import Synchronization

/// Reads the store of a Docker engine that keeps its images in containerd, as it does by default since version 29.
///
/// Containers, volumes and logs are below the data root as with a graph driver. Images, layers and the cache of builds
/// are snapshots and blobs of a containerd: the engine's own below the data root, or the host's. All that is in it is
/// told here, whatever namespace it is of, so that each byte is in one store; ``ContainerdReader`` says how objects are
/// named. A container's layer is the snapshot of its id. What a graph driver left behind is overhead.
///
/// Layout: `daemon/containerd/image_snapshot.go` and `daemon/snapshotter/mount.go` of moby/moby.
public final class DockerSnapshotterReader: StoreReader {
    public let identity: StoreIdentity

    private struct Caches {
        var containers = ContainerDirectory()
        var volumes = VolumeDirectory()
        /// Of the place where the last reading found containerd.
        var source: ContainerdSource?
    }

    private let paths: DockerPaths
    private let snapshotter: Snapshotter
    private let options: StoreOptions
    private let caches = Mutex(Caches())

    /// Makes a reader for a data root, and the snapshotter that the engine uses there, which `docker info` calls its
    /// storage driver.
    init(root: String, snapshotter: Snapshotter, options: StoreOptions = StoreOptions()) {
        let root = AbsolutePath.resolve(root)
        identity = StoreIdentity(engine: "docker", driver: snapshotter.rawValue, root: root)
        self.snapshotter = snapshotter
        paths = DockerPaths(root: root)
        self.options = options
    }

    public func read() -> StoreReading {
        do throws(MetadataFault) {
            _ = try MetadataDirectory(path: paths.root)
            let choice = try DockerDriverChoice.find(paths.root)
            if let reason = choice.fault(forReaderOf: .snapshotter(snapshotter)) {
                return unreadable(paths.drivers, reason, watching: layoutDirectories())
            }
        } catch {
            return unreadable(error.path, error.reason, watching: layoutDirectories())
        }
        return caches.withLock { read(&$0) }
    }

    private func read(_ caches: inout Caches) -> StoreReading {
        var notes = ReadingNotes()
        notes.directories = layoutDirectories()
        // Users before what they use, as the engine removes a container's layer last.
        let containers = caches.containers.read(paths, &notes)
        let volumes = caches.volumes.read(paths, &notes)
        let containerd = DockerContainerd(docker: paths.root, detection: options.containerd)
        let place = containerd.place()
        let containerdPaths = ContainerdPaths(
            root: AbsolutePath.resolve(place.root), state: AbsolutePath.resolve(place.state))
        notes.directories.append(AbsolutePath.nearestExisting(containerdPaths.metadata))
        var source =
            caches.source.flatMap { $0.paths == containerdPaths ? $0 : nil }
            ?? ContainerdSource(paths: containerdPaths, options: options)
        guard AbsolutePath.isDirectory(containerdPaths.root) else {
            return unreadable(
                containerdPaths.root,
                "it does not exist, but the engine keeps its images in containerd there",
                watching: notes.directories)
        }
        let result = source.read()
        caches.source = source
        switch result {
        case .unreadable(let fault, let directories, let databases):
            return StoreReading(
                unreadable: fault.path, fault.reason, of: identity, watching: notes.directories + directories,
                databases: notes.databases + databases)
        case .assembly(let snapshots):
            var assembly = DockerSnapshotterAssembly(
                paths: paths, snapshotter: snapshotter, namespace: containerd.namespace,
                snapshots: snapshots, notes: notes,
                horizon: realtimeNanoseconds() &- Int64(options.graceSeconds * 1e9))
            assembly.add(containers, volumes)
            return assembly.reading(identity)
        }
    }

    /// The fixed directories of the layout, or of each that is missing the nearest above it.
    private func layoutDirectories() -> [String] {
        let wanted = [
            paths.root, paths.drivers, paths.containers, paths.volumes, paths.buildKit, paths.rootFileSystems,
            paths.root + "/" + DockerContainerd.managed,
        ]
        return wanted.map(AbsolutePath.nearestExisting)
    }

    private func unreadable(_ path: String, _ reason: String, watching: [String]) -> StoreReading {
        StoreReading(unreadable: path, reason, of: identity, watching: watching)
    }
}
