public import Accounting
import Kernel

/// Finds the stores of this host.
public enum StoreDetection {
    public static let defaultDockerRoot = "/var/lib/docker"

    /// Docker's data root: `data-root` (or the older `graph`) of its `daemon.json`, else `/var/lib/docker`.
    ///
    /// A file that does not exist is no problem; one that cannot be used is, and the default is given.
    public static func dockerDataRoot(
        daemonJSON: String = "/etc/docker/daemon.json"
    ) -> (path: String, problem: StoreProblem?) {
        do throws(MetadataFault) {
            let settings = try settings(daemonJSON)
            guard let root = settings?.dataRoot else { return (defaultDockerRoot, nil) }
            guard root.hasPrefix("/") else {
                throw MetadataFault.damaged(
                    daemonJSON, "data-root is \(ObjectID.quoted(root)), not an absolute path")
            }
            return (root, nil)
        } catch {
            let reason =
                "\(error.reason); \(defaultDockerRoot) is taken, give --store docker=PATH for another"
            return (
                defaultDockerRoot,
                StoreProblem(severity: .damaged, object: .store, path: error.path, reason: reason)
            )
        }
    }

    /// The stores of this host that can be read.
    ///
    /// Docker's data root counts where it exists or was set. Below it, an engine that maps user ids
    /// (`userns-remap`) keeps a store for each mapping in `UID.GID`. `containersStorage` and `containerd` say where to
    /// look for the stores of Podman, Buildah and CRI-O, and of containerd; `nil` for nowhere.
    public static func locations(
        daemonJSON: String = "/etc/docker/daemon.json",
        containersStorage: ContainersStorageDetection? = ContainersStorageDetection(),
        containerd: ContainerdDetection? = ContainerdDetection()
    ) -> (locations: [StoreLocation], problems: [StoreProblem]) {
        var (locations, problems) = dockerLocations(daemonJSON)
        if let containersStorage {
            let found = ContainersStorageDetection.locations(containersStorage)
            locations += found.locations
            problems += found.problems
        }
        if let containerd {
            let found = containerd.locations()
            // What an engine of Docker's has in it is told there, with all that is beside it.
            let taken = locations.compactMap { Stores.containerdRoot(of: $0, containerd) }
            locations += found.locations.filter { !taken.contains(AbsolutePath.resolve($0.path)) }
            problems += found.problems
        }
        return (locations, problems)
    }

    private static func dockerLocations(
        _ daemonJSON: String
    ) -> (locations: [StoreLocation], problems: [StoreProblem]) {
        let (root, problem) = dockerDataRoot(daemonJSON: daemonJSON)
        var locations: [StoreLocation] = []
        if AbsolutePath.isDirectory(root) || root != defaultDockerRoot {
            let mapped: [String]
            do throws(MetadataFault) {
                mapped = try DockerPaths.mappedRoots(below: root).map { "\(root)/\($0)" }
            } catch {
                return ([], [error.problem(of: .store)])
            }
            // A root of mapped stores alone has none of its own.
            if mapped.isEmpty || DockerDriverChoice.hasBegun(root) {
                locations.append(StoreLocation(kind: .docker, path: root))
            }
            locations += mapped.map { StoreLocation(kind: .docker, path: $0) }
        }
        return (locations, problem.map { [$0] } ?? [])
    }

    private struct Settings: Decodable {
        var dataRoot: String?

        private enum CodingKeys: String, CodingKey {
            case graph
            case dataRoot = "data-root"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            dataRoot =
                try values.decodeIfPresent(String.self, forKey: .dataRoot)
                ?? values.decodeIfPresent(String.self, forKey: .graph)
        }
    }

    private static func settings(_ path: String) throws(MetadataFault) -> Settings? {
        let bytes: [UInt8]
        do {
            // Configuration management likes to make it a symbolic link.
            bytes = try BoundedFile.read(path: AbsolutePath.resolve(path), limit: 1 << 20)
        } catch {
            if error.isMissing { return nil }
            throw MetadataFault(error, path: path)
        }
        // The engine takes an empty file for no settings.
        if bytes.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) { return nil }
        return try MetadataJSON.decode(Settings.self, bytes, path: path)
    }
}
