/// What a `storage.conf` says of where stores are.
struct StorageConfiguration: Hashable, Sendable {
    var graphRoot: String?
    var runRoot: String?
    /// The graph root of each user, with `$HOME`, `$USER` and `$UID` in it.
    var rootlessStoragePath: String?
    /// Where images are kept, if not in the graph root.
    var imageStore: String?
    /// Stores that are only read from, and that several may share.
    var additionalImageStores: [String] = []

    /// Reads a file; `nil` where there is none.
    ///
    /// `followingLinks` is for a file of the administrator's.
    init?(path: String, followingLinks: Bool) throws(MetadataFault) {
        guard let document = try TOMLFile.read(path, followingLinks: followingLinks) else { return nil }
        graphRoot = Self.text(document.value("storage", "graphroot"))
        runRoot = Self.text(document.value("storage", "runroot"))
        rootlessStoragePath = Self.text(document.value("storage", "rootless_storage_path"))
        imageStore = Self.text(document.value("storage", "imagestore"))
        let additional =
            document.value("storage", "options", "additionalimagestores")?.strings ?? []
        // Those of one driver are named in its own table as well.
        let ofDriver =
            document.value("storage", "options", "overlay", "imagestore")?.string.map { [$0] } ?? []
        additionalImageStores = (additional + ofDriver).filter { !$0.isEmpty }
    }

    init() {}

    /// The stores whose layers may lie below those of the graph root.
    var otherStores: [String] {
        [imageStore].compactMap(\.self) + additionalImageStores
    }

    private static func text(_ value: TOMLValue?) -> String? {
        value?.string.flatMap { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 }
    }
}
