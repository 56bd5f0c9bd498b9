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

    private let paths: ContainerdPaths
    private let source: Mutex<ContainerdSource>

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
        source = Mutex(ContainerdSource(paths: paths, options: options, namespace: namespace))
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
        switch source.withLock({ $0.read() }) {
        case .assembly(var assembly):
            assembly.markBuildCache()
            return assembly.reading(identity)
        case .unreadable(let fault, let directories, let databases):
            return unreadable(fault.path, fault.reason, directories, databases)
        }
    }

    private func unreadable(
        _ path: String, _ reason: String, _ directories: [String], _ databases: [String]
    ) -> StoreReading {
        StoreReading(
            unreadable: path, reason, of: identity, watching: directories, databases: databases)
    }
}
