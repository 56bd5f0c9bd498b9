public import Accounting
public import Kernel

/// Makes the store of a Docker engine of 2014 with the driver `aufs`: an image is one layer, under one random id.
public struct ClassicStoreBuilder: Sendable {
    public let root: String
    /// What a reader should find, by id.
    public private(set) var layers: [String: LayerFact] = [:]
    public private(set) var images: [String: ImageFact] = [:]
    public private(set) var containers: [String: ContainerFact] = [:]
    public private(set) var volumes: [String: VolumeFact] = [:]

    private var generator: SeededGenerator

    /// Makes the empty store in `root`, a path without symbolic links that is made where it does not exist.
    public init(root: String, seed: UInt64 = 1) throws(KernelError) {
        self.root = root
        generator = SeededGenerator(seed: seed)
        for path in [
            "graph/_tmp", "aufs/diff", "aufs/layers", "aufs/mnt", "containers", "volumes", "vfs/dir", "init",
            "execdriver/native",
        ] {
            try StoreFiles.makeDirectory("\(root)/\(path)")
        }
        try writeRepositories()
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
        let downloads = TreeFact(id: "in-flight:graph/_tmp", kind: .inFlight, directory: root + "/graph/_tmp")
        return StoreFacts(
            store: StoreIdentity(engine: "docker", driver: "aufs", root: root),
            layers: layers.values.sorted { $0.id < $1.id }, images: images.values.sorted { $0.id < $1.id },
            containers: containers.values.sorted { $0.id < $1.id },
            volumes: volumes.values.sorted { $0.name < $1.name },
            trees: (logs + data + [downloads]).sorted { $0.id < $1.id })
    }

    /// Builds an image of a step on each one before, the last of which has the names; returns them.
    @discardableResult
    public mutating func build(
        _ steps: [BuildStep], on base: ImageFact? = nil, names: [String]
    ) throws(KernelError) -> [ImageFact] {
        var made: [ImageFact] = []
        for (index, step) in steps.enumerated() {
            let below = made.last ?? base
            let id = newID(prefix: step.idPrefix)
            let count = (below?.history.count ?? 0) % 60
            let time = "2015-02-20T10:\(count < 10 ? "0" : "")\(count):00.5Z"
            let content = step.content ?? LayerContent()
            let directory = try makeDriverDirectory(id, on: below?.layers ?? [])
            try content.write(below: directory)
            let config = DockerJSON.ClassicImage(
                id: id, parent: below?.id, comment: step.comment, created: time,
                container_config: DockerJSON.ClassicImage.Config(Cmd: [step.instruction]))
            // Registered as a whole by a rename.
            let temporary = "\(root)/graph/_tmp/\(id)"
            try StoreFiles.makeDirectory(temporary)
            try StoreFiles.write(DockerJSON.text(config), to: temporary + "/json")
            try StoreFiles.write("\(content.sizeBytes)", to: temporary + "/layersize")
            try StoreFiles.rename(temporary, to: "\(root)/graph/\(id)")
            layers[id] = LayerFact(
                id: id, kind: .image, parent: below?.id, directory: directory,
                declaredSizeBytes: Int64(content.sizeBytes), metadata: groups(of: id))
            let history = HistoryStep(
                instruction: step.instruction, created: time, comment: step.comment, layer: id)
            let image = ImageFact(
                id: id, names: index == steps.count - 1 ? names.sorted() : [], parent: below?.id,
                layers: (below?.layers ?? []) + [id], history: (below?.history ?? []) + [history],
                created: time,
                architecture: "amd64", os: "linux", metadata: ["graph/\(id)"])
            images[id] = image
            made.append(image)
        }
        try writeRepositories()
        return made
    }

    /// Adds a container with a volume of its own at each of the paths.
    @discardableResult
    public mutating func addContainer(
        named name: String, on image: ImageFact, volumes paths: [String] = [], isRunning: Bool = false
    ) throws(KernelError) -> ContainerFact {
        let id = newID()
        let initial = id + "-init"
        let below = image.layers
        let initialDirectory = try makeDriverDirectory(initial, on: below)
        try StoreFiles.makeDirectory(initialDirectory + "/dev")
        let directory = try makeDriverDirectory(id, on: below + [initial])
        var mounts: [MountFact] = []
        for path in paths.sorted() {
            let volume = newID()
            let data = "\(root)/vfs/dir/\(volume)"
            try StoreFiles.makeDirectory(data)
            try StoreFiles.makeDirectory("\(root)/volumes/\(volume)")
            try StoreFiles.write(
                DockerJSON.text(
                    DockerJSON.ClassicVolume(ID: volume, Path: data, IsBindMount: false, Writable: true)),
                to: "\(root)/volumes/\(volume)/json")
            volumes[volume] = VolumeFact(
                name: volume, tree: "volume:\(volume)", source: data, isAnonymous: true,
                metadata: ["volumes/\(volume)"])
            mounts.append(MountFact(kind: .volume, name: volume, source: data, destination: path))
        }
        let own = "\(root)/containers/\(id)"
        try StoreFiles.makeDirectory(own)
        let log = "\(own)/\(id)-json.log"
        try StoreFiles.write("", to: log)
        let config = DockerJSON.ClassicContainer(
            ID: id, Name: "/" + name, Image: image.id, Driver: "aufs", Created: "2015-02-20T12:00:00.25Z",
            Config: DockerJSON.Container.Config(
                Hostname: String(id.prefix(12)), Image: image.names.first ?? "", Labels: [:]),
            State: DockerJSON.Container.State(Running: isRunning),
            Volumes: Dictionary(uniqueKeysWithValues: mounts.map { ($0.destination, $0.source) }))
        try StoreFiles.write(DockerJSON.text(config), to: own + "/config.json")
        layers[initial] = LayerFact(
            id: initial, kind: .initial, parent: image.id, directory: initialDirectory,
            metadata: groups(of: initial))
        layers[id] = LayerFact(
            id: id, kind: .container, parent: initial, directory: directory, metadata: groups(of: id))
        let container = ContainerFact(
            id: id, name: name, imageID: image.id, imageName: image.names.first, layer: id,
            initLayer: initial,
            chain: below, mounts: mounts, created: "2015-02-20T12:00:00.25Z", isRunning: isRunning,
            trees: ["log:\(id)"], metadata: ["containers/\(id)"])
        containers[id] = container
        return container
    }

    private func groups(of id: String) -> [String] { ["aufs/layers/\(id)", "aufs/mnt/\(id)"] }

    private func makeDriverDirectory(_ id: String, on below: [String]) throws(KernelError) -> String {
        for kind in ["diff", "mnt"] { try StoreFiles.makeDirectory("\(root)/aufs/\(kind)/\(id)") }
        try StoreFiles.write(below.reversed().map { $0 + "\n" }.joined(), to: "\(root)/aufs/layers/\(id)")
        return "\(root)/aufs/diff/\(id)"
    }

    private func writeRepositories() throws(KernelError) {
        var repositories: [String: [String: String]] = [:]
        for image in images.values {
            for name in image.names {
                let parts = name.split(separator: ":")
                repositories[String(parts[0]), default: [:]][String(parts[1])] = image.id
            }
        }
        try StoreFiles.replace(
            root + "/repositories-aufs",
            with: DockerJSON.text(DockerJSON.Repositories(Repositories: repositories)),
            temporary: root + "/.repositories-aufs")
    }

    private mutating func newID(prefix: String = "") -> String {
        var digits = prefix
        while digits.count < 64 {
            let hex = String(generator.next(), radix: 16)
            digits += String(repeating: "0", count: 16 - hex.count) + hex
        }
        return String(digits.prefix(64))
    }
}

extension ClassicStoreBuilder {
    /// Makes the post's own store in `root`, as its engine kept it; about 228 MB are written.
    public static func layersPost(root: String) throws(KernelError) -> ClassicStoreBuilder {
        var store = try ClassicStoreBuilder(root: root, seed: 2014)
        let base = try store.build(LayersPost.baseSteps, names: [LayersPost.baseName])
        try store.build(LayersPost.webSteps, on: base.last, names: [LayersPost.webName])
        return store
    }
}
