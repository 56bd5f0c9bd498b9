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

    var generator: SeededGenerator
    /// The driver's directory of each layer.
    var directoryIDs: [String: String] = [:]
    private var transactions = 0

    /// Makes the empty store in `root`, which is made where it does not exist.
    public init(root: String, seed: UInt64 = 1) throws(KernelError) {
        try StoreFiles.makeDirectory(root)
        self.root = DockerOverlay2Reader(root: root).identity.root
        generator = SeededGenerator(seed: seed)
        for path in [
            "overlay2/l", "image/overlay2/layerdb/tmp", "image/overlay2/layerdb/sha256",
            "image/overlay2/layerdb/mounts", "image/overlay2/imagedb/content/sha256",
            "image/overlay2/imagedb/metadata/sha256", "containers", "volumes", "tmp",
        ] {
            try StoreFiles.makeDirectory("\(self.root)/\(path)")
        }
        try writeRepositories()
    }

    /// Goes on with a store that another builder made.
    public init(opening root: String, seed: UInt64) {
        let reader = DockerOverlay2Reader(root: root)
        let facts = reader.read().facts
        self.root = reader.identity.root
        generator = SeededGenerator(seed: seed)
        layers = Dictionary(facts.layers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        images = Dictionary(facts.images.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        containers = Dictionary(facts.containers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        directoryIDs = layers.mapValues { layer in
            String(layer.directory.split(separator: "/").dropLast().last ?? "")
        }
    }

    /// What a reader should find, in the order of ids.
    public var facts: StoreFacts {
        StoreFacts(
            store: StoreIdentity(engine: "docker", driver: "overlay2", root: root),
            layers: layers.values.sorted { $0.id < $1.id }, images: images.values.sorted { $0.id < $1.id },
            containers: containers.values.sorted { $0.id < $1.id })
    }

    public var metadata: String { "\(root)/image/overlay2" }

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
            declaredSizeBytes: Int64(content.sizeBytes), diffID: newID())
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
    mutating func newID(prefix: String = "") -> String {
        var digits = prefix
        while digits.count < 64 {
            let hex = String(generator.next(), radix: 16)
            digits += String(repeating: "0", count: 16 - hex.count) + hex
        }
        return String(digits.prefix(64))
    }
}
