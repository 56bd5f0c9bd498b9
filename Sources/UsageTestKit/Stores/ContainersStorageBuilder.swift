public import Accounting
import FoundationEssentials
public import Kernel
import Stores

/// Makes a store of containers-storage on the disk, as Podman has it, and knows what is in it.
///
/// Lists are replaced by renaming, in the order of the engine. Ids come from a seed.
public struct ContainersStorageBuilder: Sendable {
    /// The graph root, free of symbolic links.
    public let root: String
    public let driver: String
    /// What a reader should find, objects by id or name.
    public internal(set) var layers: [String: LayerFact] = [:]
    public internal(set) var images: [String: ImageFact] = [:]
    public internal(set) var containers: [String: ContainerFact] = [:]
    public internal(set) var volumes: [String: VolumeFact] = [:]
    public internal(set) var trees: [String: TreeFact] = [:]
    /// The layers and containers that are in the lists of what may be lost.
    public internal(set) var volatile: Set<String> = []

    var mapped: [String: [String]] = [:]
    private var generator: SeededGenerator

    /// Makes the empty store in `root`, which is made where it does not exist.
    public init(root: String, driver: String = "overlay", seed: UInt64 = 1) throws(KernelError) {
        try StoreFiles.makeDirectory(root)
        self.root = ContainersStorageReader(root: root).identity.root
        self.driver = driver
        generator = SeededGenerator(seed: seed)
        for part in ["layers", "images", "containers"] {
            try StoreFiles.makeDirectory("\(self.root)/\(driver)-\(part)")
            try StoreFiles.write("token", to: "\(self.root)/\(driver)-\(part)/\(part).lock")
        }
        for path in [driver == "vfs" ? "vfs/dir" : "overlay/l", "libpod", "tmp", "volumes"] {
            try StoreFiles.makeDirectory("\(self.root)/\(path)")
        }
        try StoreFiles.write("", to: self.root + "/storage.lock")
    }

    /// What a reader should find, in the order of ids; without the overhead.
    public var facts: StoreFacts {
        StoreFacts(
            store: StoreIdentity(engine: "containers-storage", driver: driver, root: root),
            layers: layers.values.sorted { $0.id < $1.id }, images: images.values.sorted { $0.id < $1.id },
            containers: containers.values.sorted { $0.id < $1.id },
            volumes: volumes.values.sorted { $0.name < $1.name }, trees: trees.values.sorted { $0.id < $1.id }
        )
    }

    /// One of the lists: `layers`, `images`, `containers`, or `volatile-` and one of these.
    public func list(_ name: String) -> String {
        "\(root)/\(driver)-\(name.replacing("volatile-", with: ""))/\(name).json"
    }

    public func userData(of container: String) -> String {
        "\(root)/\(driver)-containers/\(container)/userdata"
    }

    // MARK: Layers

    /// Adds a layer; without a diff id it is writable.
    @discardableResult
    public mutating func addLayer(
        _ content: LayerContent, on parent: String? = nil, kind: LayerFact.Kind = .image,
        isVolatile: Bool = false
    ) throws(KernelError) -> LayerFact {
        let id = newID()
        var groups: [String] = []
        let directory: String
        if driver == "vfs" {
            directory = "\(root)/vfs/dir/\(id)"
            try StoreFiles.makeDirectory(directory)
        } else {
            let own = "\(root)/overlay/\(id)"
            directory = own + "/diff"
            let link = newID().uppercased().prefix(26).description
            try StoreFiles.makeDirectory(directory)
            try StoreFiles.makeDirectory(own + "/work")
            try StoreFiles.write(link, to: own + "/link")
            if let parent { try StoreFiles.write("l/\(parent.prefix(26).uppercased())", to: own + "/lower") }
            try StoreFiles.link("\(root)/overlay/l/\(link)", to: "../\(id)/diff")
            groups = ["overlay/\(id)", "overlay/l/\(link)"]
        }
        try content.write(below: directory)
        if kind == .image {
            try StoreFiles.write("tar-split", to: "\(root)/\(driver)-layers/\(id).tar-split.gz")
            groups.insert("\(driver)-layers/\(id).tar-split.gz", at: min(1, groups.count))
        }
        let layer = LayerFact(
            id: id, kind: kind, parent: parent, directory: directory, isFullCopy: driver == "vfs",
            mount: kind == .container && driver == "overlay"
                ? OverlayMount(
                    merged: "\(root)/overlay/\(id)/merged", work: "\(root)/overlay/\(id)/work") : nil,
            declaredSizeBytes: kind == .image ? Int64(content.sizeBytes + 1536) : nil,
            diffID: kind == .image ? newID() : nil, metadata: groups)
        layers[id] = layer
        if isVolatile { volatile.insert(id) }
        try writeLayers()
        return layer
    }

    public mutating func removeLayer(_ id: String) throws(KernelError) {
        guard let layer = layers.removeValue(forKey: id) else { return }
        for group in layer.metadata { try StoreFiles.remove("\(root)/\(group)") }
        try StoreFiles.remove(layer.directory)
        try writeLayers()
    }

    /// Writes the lists of layers as they should be.
    public func writeLayers() throws(KernelError) {
        try write("layers", layers.values.map { ($0.id, json($0)) })
    }

    private func json(_ layer: LayerFact) -> StorageJSON {
        var members: [String: StorageJSON] = ["id": .string(layer.id), "created": "2024-05-01T10:00:00Z"]
        members["parent"] = layer.parent.map(StorageJSON.string)
        members["diff-size"] = layer.declaredSizeBytes.map(StorageJSON.number)
        members["diff-digest"] = layer.diffID.map { .string("sha256:" + $0) }
        return .object(members)
    }

    // MARK: Images

    /// Adds an image: a layer for each step that has content, on the layers of `base`.
    @discardableResult
    public mutating func addImage(
        _ steps: [BuildStep], on base: ImageFact? = nil, names: [String]
    ) throws(KernelError) -> ImageFact {
        var chain = base?.layers ?? []
        var history = base?.history ?? []
        for step in steps {
            var layer: String?
            if let content = step.content {
                layer = try addLayer(content, on: chain.last).id
                chain += layer.map { [$0] } ?? []
            }
            history.append(
                HistoryStep(
                    instruction: step.instruction, created: "2024-05-01T09:00:00Z", comment: step.comment,
                    layer: layer))
        }
        let id = newID()
        let image = ImageFact(
            id: id, names: names.sorted(), layers: chain, history: history, created: "2024-05-01T10:00:00Z",
            architecture: "amd64", os: "linux", metadata: ["\(driver)-images/\(id)"])
        let config = DockerJSON.Config(
            created: image.created,
            history: history.map { step in
                .init(
                    created: step.created, created_by: step.instruction, comment: step.comment,
                    empty_layer: step.layer == nil ? true : nil)
            },
            rootfs: .init(diff_ids: chain.map { "sha256:" + (layers[$0]?.diffID ?? "") }))
        try StoreFiles.makeDirectory("\(root)/\(driver)-images/\(id)")
        try StoreFiles.write(DockerJSON.text(config), to: configFile(of: id))
        try StoreFiles.write("{}", to: "\(root)/\(driver)-images/\(id)/manifest")
        images[id] = image
        try writeImages()
        return image
    }

    /// The file of the image's configuration.
    public func configFile(of image: String) -> String {
        "\(root)/\(driver)-images/\(image)/=" + Data("sha256:\(image)".utf8).base64EncodedString()
    }

    /// Adds a copy of an image's highest layer, as for containers with other user ids.
    @discardableResult
    public mutating func mapLayer(
        of image: String, _ content: LayerContent
    ) throws(KernelError) -> LayerFact? {
        let below = images[image]?.layers.dropLast().last
        var layer = try addLayer(content, on: below)
        layer.declaredSizeBytes = nil
        layer.diffID = nil
        layers[layer.id] = layer
        mapped[image, default: []].append(layer.id)
        images[image]?.content.append(layer.id)
        try writeLayers()
        try writeImages()
        return layer
    }

    public mutating func removeImage(_ id: String) throws(KernelError) {
        guard let image = images.removeValue(forKey: id) else { return }
        try writeImages()
        try StoreFiles.remove("\(root)/\(driver)-images/\(id)")
        let used = Set(images.values.flatMap(\.layers) + containers.values.flatMap(\.chain))
        for layer in (image.content + image.layers.reversed()) where !used.contains(layer) {
            try removeLayer(layer)
        }
    }

    public func writeImages() throws(KernelError) {
        try write(
            "images",
            images.values.map { image in
                let names = ["sha256:\(image.id)", "manifest"]
                var members: [String: StorageJSON] = [
                    "id": .string(image.id), "digest": .string("sha256:\(image.id)"),
                    "names": .strings(image.names + ["localhost/x@sha256:\(image.id)"]),
                    "big-data-names": .strings(names), "created": "2024-05-01T10:00:00Z",
                ]
                members["layer"] = image.layers.last.map(StorageJSON.string)
                members["mapped-layers"] = mapped[image.id].map(StorageJSON.strings)
                return (image.id, .object(members))
            })
    }

    /// 64 hexadecimal digits that no object has.
    public mutating func newID() -> String {
        var digits = ""
        while digits.count < 64 {
            let hex = String(generator.next(), radix: 16)
            digits += String(repeating: "0", count: 16 - hex.count) + hex
        }
        return digits
    }

    /// Writes a list, and the one of what may be lost where there is such.
    func write(_ name: String, _ members: [(id: String, json: StorageJSON)]) throws(KernelError) {
        let sorted = members.sorted { $0.id < $1.id }
        let lists = [
            (name, sorted.filter { !volatile.contains($0.id) }),
            ("volatile-" + name, sorted.filter { volatile.contains($0.id) }),
        ]
        for (name, members) in lists
        where !members.isEmpty || FileManager.default.fileExists(atPath: list(name)) {
            let path = list(name)
            let text = StorageJSON.list(members.map(\.json)).text
            try StoreFiles.replace(path, with: text, temporary: path + ".tmp-1")
        }
    }
}
