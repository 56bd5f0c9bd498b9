import Accounting
import Kernel

/// Puts together what the parts of a classic store said.
struct ClassicAssembly {
    let root: String
    let data: MetadataDirectory?
    private(set) var notes: ReadingNotes
    /// The directories of the driver's that metadata names.
    private(set) var named: Set<String> = []

    private var layers: [LayerFact] = []
    private var images: [ImageFact] = []
    private var containers: [ContainerFact] = []
    private var volumes: [VolumeFact] = []
    private var trees: [TreeFact] = []
    private var excluded: [PathPattern] = ["aufs/diff/*"]
    private var readAgainAt: Int64?
    private var ids: Set<String> = []
    private var chains = LayerChains([:])

    init(root: String, data: MetadataDirectory?, notes: ReadingNotes) {
        self.root = root
        self.data = data
        self.notes = notes
        excluded += DockerAssembly.logNames.map { PathPattern(["containers", "*", $0]) }
        for path in ["graph/_tmp", "tmp"] where AbsolutePath.isOwnDirectory("\(root)/\(path)") {
            trees.append(TreeFact(id: "in-flight:\(path)", kind: .inFlight, directory: "\(root)/\(path)"))
            excluded.append(PathPattern(exactly: path))
        }
    }

    /// Adds a layer if it has its directory; else says what is wrong.
    private mutating func place(_ fact: LayerFact) -> MetadataFault? {
        named.insert(fact.id)
        if let fault = data?.missingDirectory(fact.id) { return fault }
        guard ids.insert(fact.id).inserted else {
            return .damaged(fact.directory, "two objects have the id \(ObjectID.short(fact.id))")
        }
        var fact = fact
        fact.metadata = ["aufs/layers/\(fact.id)", "aufs/mnt/\(fact.id)"] + fact.metadata
        layers.append(fact)
        return nil
    }

    private func directory(_ id: String) -> String { "\(root)/aufs/diff/\(id)" }

    mutating func add(
        _ entries: [String: ClassicDatabase<ClassicImage>.Entry], names: [String: [String]]
    ) {
        chains = LayerChains(
            entries.mapValues { LayerDatabase.Entry(parent: $0.value?.parent, size: $0.value?.size) })
        let sorted = entries.sorted { $0.key < $1.key }
        for (id, entry) in sorted {
            notes.add(entry.faults, of: .image(id))
            let flaw = chains.flaws[id]
            if let flaw { notes.add(flaw.layerDatabaseFault("\(root)/graph/\(id)/json"), of: .image(id)) }
            let fact = LayerFact(
                id: id, kind: .image, parent: flaw == nil ? entry.value?.parent : nil,
                directory: directory(id),
                declaredSizeBytes: entry.value?.size)
            if let fault = place(fact) { notes.add(fault, of: .image(id)) }
        }
        for (id, entry) in sorted {
            let walked = chains.chain(from: id)
            let chain = walked.layers.filter(ids.contains)
            let steps = chain.compactMap { step in
                entries[step]?.value.map {
                    HistoryStep(
                        instruction: $0.instruction, created: $0.created, comment: $0.comment, layer: step)
                }
            }
            images.append(
                ImageFact(
                    id: id, names: names[id] ?? [],
                    parent: chains.flaws[id] == nil ? entry.value?.parent : nil,
                    layers: chain, history: steps, created: entry.value?.created,
                    architecture: entry.value?.architecture, os: entry.value?.os, metadata: ["graph/\(id)"]))
        }
        for (id, references) in names.sorted(by: { $0.key < $1.key }) where entries[id] == nil {
            let reason = "\(ObjectID.quoted(references.first ?? "")) names an image that is not in graph"
            notes.add(.pending(root + "/repositories-aufs", reason), of: .image(id))
        }
    }

    mutating func add(_ entries: [String: ClassicDatabase<ClassicVolume>.Entry]) {
        for (id, entry) in entries.sorted(by: { $0.key < $1.key }) {
            notes.add(entry.faults, of: .volume(id))
            let path = "\(root)/vfs/dir/\(id)"
            let hasData = entry.value?.isBind != true && AbsolutePath.isOwnDirectory(path)
            let tree = hasData ? "volume:\(id)" : nil
            if let tree {
                trees.append(TreeFact(id: tree, kind: .volume, directory: path))
                excluded.append(PathPattern(exactly: "vfs/dir/\(id)"))
            }
            volumes.append(
                VolumeFact(
                    name: id, tree: tree, source: hasData ? path : entry.value?.path ?? "", isAnonymous: true,
                    metadata: ["volumes/\(id)"]))
        }
    }

    mutating func add(_ entries: [String: ClassicDatabase<ClassicContainer>.Entry]) {
        let owned = Dictionary(
            volumes.map { ($0.source, $0.name) }, uniquingKeysWith: { first, _ in first })
        for (id, entry) in entries.sorted(by: { $0.key < $1.key }) {
            notes.add(entry.faults, of: .container(id))
            let tree = DockerAssembly.logID(id)
            trees.append(
                TreeFact(
                    id: tree, kind: .log, directory: "\(root)/containers/\(id)",
                    entries: DockerAssembly.logNames))
            let config = entry.value?.config
            let image = config?.image ?? ""
            let chain = ids.contains(image) ? chains.chain(from: image).layers.filter(ids.contains) : []
            let initial = id + "-init"
            let hasInitial = data?.missingDirectory(initial) == nil
            if hasInitial {
                let fact = LayerFact(
                    id: initial, kind: .initial, parent: chain.last, directory: directory(initial))
                if let fault = place(fact) { notes.add(fault, of: .container(id)) }
            }
            let own = LayerFact(
                id: id, kind: .container, parent: hasInitial ? initial : chain.last, directory: directory(id))
            if let fault = place(own) { notes.add(fault, of: .container(id)) }
            guard let config else { continue }
            let mounts = (entry.value?.volumes ?? [:]).sorted { $0.key < $1.key }.map { destination, source in
                let name = owned[source]
                return MountFact(
                    kind: name == nil ? .bind : .volume, name: name, source: source, destination: destination)
            }
            containers.append(
                ContainerFact(
                    id: id, name: config.name.isEmpty ? ObjectID.short(id) : config.name, imageID: image,
                    imageName: config.imageName, labels: config.labels, layer: id,
                    initLayer: hasInitial ? initial : nil, chain: chain, logPath: config.logPath,
                    mounts: mounts,
                    created: config.created, isRunning: config.isRunning, trees: [tree],
                    metadata: ["containers/\(id)"]))
        }
    }

    mutating func add(_ unnamed: [UnnamedDirectories.Entry]) {
        for entry in unnamed {
            let id = entry.name.escaped
            guard let name = String(validating: entry.name.bytes, as: UTF8.self), ids.insert(id).inserted
            else {
                let reason = "its name is not UTF-8, or that of a layer; it cannot be accounted: remove it"
                let object = StoreProblem.Object.layer(FileName.escapeAll(entry.name.bytes))
                notes.add(.damaged("\(root)/aufs/diff/\(id)", reason), of: object)
                continue
            }
            layers.append(
                LayerFact(
                    id: id, kind: entry.isOrphan ? .orphan : .inFlight, directory: directory(name),
                    since: entry.isOrphan ? entry.changed : nil,
                    metadata: ["aufs/layers/\(name)", "aufs/mnt/\(name)"]))
            if let due = entry.due { readAgainAt = min(readAgainAt ?? due, due) }
        }
    }

    func reading(_ identity: StoreIdentity) -> StoreReading {
        let groups: [PathPattern] = ["graph/*", "aufs/layers/*", "aufs/mnt/*", "containers/*", "volumes/*"]
        return notes.reading(
            StoreFacts(
                store: identity, layers: layers, images: images, containers: containers, volumes: volumes,
                trees: trees, overhead: OverheadFact(directory: root, excluded: excluded, groups: groups)),
            readAgainAt: readAgainAt)
    }
}
