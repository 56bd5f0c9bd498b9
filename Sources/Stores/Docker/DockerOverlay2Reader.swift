public import Accounting
import Glibc
import Kernel
import Synchronization

/// Reads the store of a Docker engine with the `overlay2` driver.
///
/// What an object's files said is kept until the files change, so that reading again costs a listing of the
/// directories and a status of each file. What was known of an object whose file went bad is kept, and said to
/// be damaged.
public final class DockerOverlay2Reader: StoreReader {
    public let identity: StoreIdentity

    private struct Caches {
        var names = RepositoryNames()
        var images = ImageDatabase()
        var layers = LayerDatabase()
        var mounts = MountDatabase()
        var containers = ContainerDirectory()
    }

    private let paths: DockerPaths
    private let graceSeconds: Double
    private let caches = Mutex(Caches())

    /// Makes a reader for a data root, for example `/var/lib/docker`.
    ///
    /// `graceSeconds` is how long a container may be half made before it is listed as far as it is known; its
    /// layer is in the facts from the beginning.
    public init(root: String, graceSeconds: Double = 10) {
        let root = AbsolutePath.resolve(root)
        identity = StoreIdentity(engine: "docker", driver: "overlay2", root: root)
        paths = DockerPaths(root: root)
        self.graceSeconds = graceSeconds
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
            // Users before what they use: an engine makes a layer before the image on it, and removes it after.
            // What is missing then was removed while this read, or is damage.
            let names = caches.names.read(metadata, &notes)
            let containers = caches.containers.read(paths, &notes)
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
            if let data, !layers.isEmpty || !mounts.isEmpty, data.isEmpty(but: "l") {
                return unmounted(data.path, "it is empty", watching: notes.directories)
            }
            var assembly = DockerAssembly(
                paths: paths, data: data, chains: LayerChains(layers), horizon: horizon(), notes: notes)
            assembly.add(layers: layers)
            assembly.add(images: images, names: names ?? [:], layers: layers)
            assembly.add(mounts: mounts, containers: containers)
            return assembly.reading(identity)
        }
    }

    /// Objects that changed after this moment, nanoseconds since the epoch, may still be in the making.
    private func horizon() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return (Int64(now.tv_sec) &* 1_000_000_000) &- Int64(graceSeconds * 1e9)
    }

    /// The fixed directories of the layout, or of each that is missing the nearest above it.
    private func layoutDirectories() -> [String] {
        let wanted = [
            paths.root, paths.drivers, paths.metadata, paths.layers, paths.mounts, paths.imageConfigs,
            paths.imageMetadata, paths.containers, paths.data,
        ]
        return wanted.map(AbsolutePath.nearestExisting)
    }

    private func unmounted(_ path: String, _ fault: String, watching: [String]) -> StoreReading {
        unreadable(
            path, "\(fault), but image/overlay2 names layers in it; is it mounted?", watching: watching)
    }

    private func unreadable(_ path: String, _ reason: String, watching: [String]) -> StoreReading {
        let problem = StoreProblem(severity: .unreadable, object: .store, path: path, reason: reason)
        return StoreReading(
            facts: StoreFacts(store: identity, problems: [problem]), directories: watching.uniqued())
    }
}

extension [String] {
    /// The members in order, each once.
    func uniqued() -> [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
