public import Accounting
import Kernel
import Synchronization

/// Reads the store of containerd: all namespaces, and the snapshotters `overlayfs` and `native`.
///
/// Layers are snapshots and blobs. A snapshot's id is its name in its namespace, without an algorithm prefix: the
/// chain id of an image's layer, the id of a container. Namespaces share blobs but not snapshots, so the same chain of
/// layers in two of them is two directories; the one that is known first has the plain id, another one is
/// `NAMESPACE/ID` (`NAMESPACE/SNAPSHOTTER/ID` if that is taken as well), for as long as it is there. Images and
/// containers are told apart in the same way. A blob's id is the hexadecimal part of its digest, with `content/` before
/// it where an image's lowest layer has the same one, which is so for layers that are not compressed. A directory of a
/// snapshotter that no snapshot of a namespace has is `SNAPSHOTTER/NAME`.
///
/// The databases are read without a lock. Facts are only given of a moment at which all of them stood still; that they
/// never did is told as the store's being unreadable.
public final class ContainerdReader: StoreReader {
    public static let defaultRoot = "/var/lib/containerd"
    public static let defaultState = "/run/containerd"

    public let identity: StoreIdentity

    /// How often all databases are read until none of them changed meanwhile.
    private static let attempts = 8

    private struct Caches {
        var databases = ContainerdDatabaseCache()
        var documents = ContentDocuments()
        var specs = ContainerdAssembly.Specs()
        var layerIDs = UniqueIDs()
        var imageIDs = UniqueIDs()
        var containerIDs = UniqueIDs()
    }

    private let paths: ContainerdPaths
    private let options: StoreOptions
    private let namespace: String?
    private let caches = Mutex(Caches())

    /// Makes a reader for a root, as `root` and `state` of `config.toml` name it.
    ///
    /// With a `namespace`, only images and containers of that one are told. Layers always are, since each directory
    /// below the root has to be accounted for.
    public init(
        root: String, state: String = defaultState, options: StoreOptions = StoreOptions(),
        namespace: String? = nil
    ) {
        let root = AbsolutePath.resolve(root)
        identity = StoreIdentity(engine: "containerd", driver: "overlayfs", root: root)
        paths = ContainerdPaths(root: root, state: AbsolutePath.resolve(state))
        self.options = options
        self.namespace = namespace
    }

    public func read() -> StoreReading {
        do throws(MetadataFault) {
            _ = try MetadataDirectory(path: paths.root)
        } catch {
            let reason =
                error.isMissing
                ? "no such directory: give --store containerd=PATH, or set root in config.toml" : error.reason
            return unreadable(paths.root, reason, [AbsolutePath.nearestExisting(paths.root)], [])
        }
        return caches.withLock { read(&$0) }
    }

    private func read(_ caches: inout Caches) -> StoreReading {
        var files: [String] = []
        var filesRead = 0
        for _ in 0..<Self.attempts {
            var notes = ReadingNotes()
            notes.directories = layoutDirectories()
            files = []
            do throws(MetadataFault) {
                let databases = try caches.databases.read(paths, files: &files, &notes)
                let listing = ContainerdListing(paths, &notes)
                let pods = PodFiles(databases.metadata, paths, options, &notes)
                var after = ReadingNotes()
                var same: [String] = []
                let isStill =
                    try caches.databases.read(paths, files: &same, &after) == databases
                notes.filesRead += after.filesRead + filesRead
                filesRead = notes.filesRead
                guard isStill else { continue }
                notes.databases = files
                return assemble(databases, listing, pods, notes, &caches).reading(identity)
            } catch {
                return unreadable(error.path, error.reason, notes.directories, files)
            }
        }
        return unreadable(
            paths.root, "the engine changed its databases during each of \(Self.attempts) readings",
            layoutDirectories(), files)
    }

    private func assemble(
        _ databases: ContainerdDatabases, _ listing: ContainerdListing, _ pods: PodFiles,
        _ notes: ReadingNotes, _ caches: inout Caches
    ) -> ContainerdAssembly {
        var assembly = ContainerdAssembly(
            paths: paths, options: options, databases: databases, listing: listing, namespace: namespace,
            now: realtimeNanoseconds(), notes: notes)
        assembly.addSnapshots(&caches.layerIDs)
        let expansions = assembly.expandImages(&caches.documents)
        assembly.addContent(apartFrom: ContainerdAssembly.lowest(expansions))
        let imageIDs = assembly.addImages(expansions, &caches.imageIDs)
        assembly.addContainers(&caches.containerIDs, &caches.specs, pods, imageIDs: imageIDs)
        assembly.addFaults()
        return assembly
    }

    /// The fixed directories of the layout, or of each that is missing the nearest above it.
    private func layoutDirectories() -> [String] {
        ([paths.root, paths.metadata] + Snapshotter.allCases.map { paths.directory(of: $0.rawValue) })
            .map(AbsolutePath.nearestExisting)
    }

    private func unreadable(
        _ path: String, _ reason: String, _ directories: [String], _ databases: [String]
    ) -> StoreReading {
        StoreReading(
            unreadable: path, reason, of: identity, watching: directories, databases: databases)
    }
}
