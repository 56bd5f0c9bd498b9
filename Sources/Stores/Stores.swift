public import Accounting

/// Makes the reader for a store.
public enum Stores {
    /// Makes the reader for the layout that the location names.
    ///
    /// Nothing is read yet. A root that does not exist is no error here: each reading says so until it does.
    public static func open(
        _ location: StoreLocation, options: StoreOptions = StoreOptions()
    ) -> any StoreReader {
        switch location.kind {
        case .docker: openDocker(location.path, options)
        case .dockerClassic: DockerClassicReader(root: location.path, options: options)
        case .containersStorage:
            ContainersStorageReader(
                root: location.path, options: options,
                surroundings: ContainersStorageDetection().surroundings(of: location.path))
        case .containerd:
            ContainerdReader(
                root: location.path, state: ContainerdDetection().state(of: location.path), options: options)
        case .plain: PlainReader(root: location.path)
        }
    }

    /// Whether the root of a store is a directory in which its engine has begun to work.
    public static func isThere(_ store: StoreIdentity) -> Bool {
        guard store.engine == "docker" else { return AbsolutePath.isDirectory(store.root) }
        return DockerDriverChoice.hasBegun(store.root) || AbsolutePath.isDirectory(store.root + "/graph")
    }

    private static func openDocker(_ root: String, _ options: StoreOptions) -> any StoreReader {
        if case .snapshotter(let name)? = try? DockerDriverChoice.find(AbsolutePath.resolve(root)) {
            return DockerSnapshotterReader(root: root, snapshotter: name, options: options)
        }
        return DockerReader(root: root, options: options)
    }

    /// The root of the containerd that a store of Docker's has its layers in, free of symbolic links; `nil` for one that
    /// has them in a graph driver, and for all other stores.
    static func containerdRoot(of location: StoreLocation, _ detection: ContainerdDetection) -> String? {
        let root = AbsolutePath.resolve(location.path)
        guard location.kind == .docker, case .snapshotter? = try? DockerDriverChoice.find(root) else {
            return nil
        }
        return AbsolutePath.resolve(DockerContainerd(docker: root, detection: detection).place().root)
    }

    /// What KIND may be, for messages.
    static var kindsText: String {
        let kinds = StoreKind.allCases.map(\.rawValue)
        return "KIND is \(kinds.dropLast().joined(separator: ", ")) or \(kinds.last ?? "")"
    }
}
