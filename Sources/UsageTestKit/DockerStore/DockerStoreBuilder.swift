public import Accounting
public import Kernel
import Stores

/// Makes a Docker store of the `overlay2` driver on the disk, and knows what is in it.
///
/// Files are written in the order and the way `dockerd` does: layers by renaming a transaction, JSON by
/// renaming a temporary file. Ids come from a seed; they have the form of digests but are none.
public struct DockerStoreBuilder: Sendable {
    /// The data root.
    public let root: String
    /// What a reader should find, objects by id.
    public internal(set) var layers: [String: LayerFact] = [:]
    public internal(set) var images: [String: ImageFact] = [:]
    public internal(set) var containers: [String: ContainerFact] = [:]
    public internal(set) var volumes: [String: VolumeFact] = [:]
    /// The storage driver: `overlay2`, `fuse-overlayfs`, `btrfs` (with plain directories for subvolumes) or `vfs`.
    public let driver: String
    /// What BuildKit's `snapshots.db` holds.
    var snapshots = BoltTree()
    /// The name of each committed snapshot of BuildKit's.
    var snapshotNames: [String: String] = [:]
    var snapshotFile: BoltFileBuilder?
    var volumeOptions: [String: [String: String]] = [:]
    var volumeFile: BoltFileBuilder?

    var generator: SeededGenerator
    /// The driver's directory of each layer.
    var directoryIDs: [String: String] = [:]
    /// The short link to each of the driver's directories that this builder made.
    var links: [String: String] = [:]
    /// The files that ``together(_:)`` is yet to write; `nil` outside of it.
    var dueLists: Set<ListFile>?
    private var transactions = 0

    /// Makes the empty store in `root`, which is made where it does not exist.
    public init(root: String, seed: UInt64 = 1, driver: String = "overlay2") throws(KernelError) {
        try StoreFiles.makeDirectory(root)
        self.root = DockerReader(root: root).identity.root
        self.driver = driver
        generator = SeededGenerator(seed: seed)
        let image = "image/" + driver
        for path in [
            isOverlay ? driver + "/l" : driverDirectory, image + "/layerdb/tmp", image + "/layerdb/sha256",
            image + "/layerdb/mounts", image + "/imagedb/content/sha256",
            image + "/imagedb/metadata/sha256", "containers", "volumes", "tmp",
        ] {
            try StoreFiles.makeDirectory("\(self.root)/\(path)")
        }
        if driver == "btrfs" { try StoreFiles.makeDirectory(self.root + "/btrfs/quotas") }
        try writeRepositories()
    }

    /// Makes what an engine with its images in containerd keeps in its own root, which is made where it does not exist.
    public init(root: String, seed: UInt64, snapshotter: String) throws(KernelError) {
        try StoreFiles.makeDirectory(root)
        self.root = DockerReader(root: root).identity.root
        driver = snapshotter
        generator = SeededGenerator(seed: seed)
        for path in ["containers", "volumes", "tmp", "image", "buildkit/containerd-" + snapshotter] {
            try StoreFiles.makeDirectory("\(self.root)/\(path)")
        }
    }

    /// Whether the driver keeps differences in `diff`, and full copies otherwise.
    var isOverlay: Bool { driver == "overlay2" || driver == "fuse-overlayfs" }

    /// Where the driver's directories are, below the root.
    var driverDirectory: String {
        switch driver {
        case "btrfs": "btrfs/subvolumes"
        case "vfs": "vfs/dir"
        default: driver
        }
    }

    /// Goes on with a store that another builder made.
    public init(opening root: String, seed: UInt64) {
        let reader = DockerReader(root: root)
        let facts = reader.read().facts
        self.root = reader.identity.root
        driver = reader.identity.driver
        generator = SeededGenerator(seed: seed)
        layers = Dictionary(facts.layers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        images = Dictionary(facts.images.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        containers = Dictionary(facts.containers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        volumes = Dictionary(facts.volumes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let isOverlay = isOverlay
        directoryIDs = layers.mapValues { layer in
            let parts = layer.directory.split(separator: "/")
            return String((isOverlay ? parts.dropLast().last : parts.last) ?? "")
        }
    }

    /// What a reader should find, in the order of ids; all but the overhead.
    public var facts: StoreFacts {
        let logs = containers.keys.map { id in
            TreeFact(
                id: "log:\(id)", kind: .log, directory: "\(root)/containers/\(id)",
                entries: ["*-json.log*", "local-logs", "container-cached.log*"])
        }
        let data = volumes.values.compactMap { volume in
            volume.tree.map { TreeFact(id: $0, kind: .volume, directory: volume.source) }
        }
        let downloads = TreeFact(id: "in-flight:tmp", kind: .inFlight, directory: root + "/tmp")
        return StoreFacts(
            store: StoreIdentity(engine: "docker", driver: driver, root: root),
            layers: layers.values.sorted { $0.id < $1.id }, images: images.values.sorted { $0.id < $1.id },
            containers: containers.values.sorted { $0.id < $1.id },
            volumes: volumes.values.sorted { $0.name < $1.name },
            trees: (logs + data + [downloads]).sorted { $0.id < $1.id })
    }

    public var metadata: String { "\(root)/image/\(driver)" }

    /// Adds an image layer on the layer with chain id `parent`.
    ///
    /// `directoryID` names the driver's directory, as where BuildKit made it; else it is 64 digits.
    @discardableResult
    public mutating func addLayer(
        _ content: LayerContent, on parent: String? = nil, directoryID: String? = nil
    ) throws(KernelError) -> LayerFact {
        let id = newID()
        let cacheID = directoryID ?? newID()
        let directory = try makeDriverDirectory(cacheID, on: parent)
        try content.write(below: directory)

        let layer = LayerFact(
            id: id, kind: .image, parent: parent, directory: directory,
            isFullCopy: !isOverlay, declaredSizeBytes: Int64(content.sizeBytes), diffID: newID(),
            metadata: groups(of: cacheID) + ["image/\(driver)/layerdb/sha256/\(id)"])
        transactions += 1
        let transaction = "\(metadata)/layerdb/tmp/write-set-\(transactions)"
        try StoreFiles.makeDirectory(transaction)
        try StoreFiles.write("\(content.sizeBytes)", to: transaction + "/size")
        try StoreFiles.write("sha256:\(layer.diffID ?? "")", to: transaction + "/diff")
        try StoreFiles.write(cacheID, to: transaction + "/cache-id")
        if let parent { try StoreFiles.write("sha256:\(parent)", to: transaction + "/parent") }
        try StoreFiles.rename(transaction, to: "\(metadata)/layerdb/sha256/\(id)")
        layers[id] = layer
        directoryIDs[id] = cacheID
        return layer
    }

    /// Removes a layer that nothing lies on, as the engine does: metadata set aside, then the data.
    public mutating func removeLayer(_ id: String) throws(KernelError) {
        guard layers.removeValue(forKey: id) != nil, let cacheID = directoryIDs.removeValue(forKey: id) else {
            return
        }
        let aside = "\(metadata)/layerdb/sha256/\(id)-\(generator.next() % 1_000_000)-removing"
        try StoreFiles.rename("\(metadata)/layerdb/sha256/\(id)", to: aside)
        try removeDriverDirectory(cacheID)
        try StoreFiles.remove(aside)
    }

    /// 64 hexadecimal digits that no object has; `prefix` gives the first of them.
    public mutating func newID(prefix: String = "") -> String {
        var digits = prefix
        while digits.count < 64 {
            let hex = String(generator.next(), radix: 16)
            digits += String(repeating: "0", count: 16 - hex.count) + hex
        }
        return String(digits.prefix(64))
    }
}
