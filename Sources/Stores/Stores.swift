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
        case .docker: DockerReader(root: location.path, options: options)
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
        let begun = store.engine == "docker" ? ["/image", "/graph"] : [""]
        return begun.contains { AbsolutePath.isDirectory(store.root + $0) }
    }

    /// What KIND may be, for messages.
    static var kindsText: String {
        let kinds = StoreKind.allCases.map(\.rawValue)
        return "KIND is \(kinds.dropLast().joined(separator: ", ")) or \(kinds.last ?? "")"
    }
}
