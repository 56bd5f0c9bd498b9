import Accounting
import Kernel

/// Puts together what the parts of the store said.
struct ContainersStorageAssembly {
    let paths: ContainersStoragePaths
    /// Where the engine says that volumes are.
    let volumes: String
    let data: MetadataDirectory?
    let contents: ContainersStorageContents
    let options: StoreOptions
    var directories: LayerDirectories
    var notes: ReadingNotes

    let parents: LayerParents
    var layerFacts: [LayerFact] = []
    var imageFacts: [ImageFact] = []
    var containerFacts: [ContainerFact] = []
    var volumeFacts: [VolumeFact] = []
    var trees: [TreeFact] = []
    var readAgainAt: Int64?
    /// Layers that are named but have no directory that could be accounted.
    var absent: [String: MetadataFault] = [:]
    /// Directories of the driver that are accounted as a whole.
    var wholeDirectories: [String] = []
    /// Whether each directory of differences is one of a layer.
    var hasAllDifferences = true
    private let layerFiles: [String: [String]]

    init(
        paths: ContainersStoragePaths, volumes: String, data: MetadataDirectory?,
        contents: ContainersStorageContents, options: StoreOptions, directories: LayerDirectories,
        notes: ReadingNotes
    ) {
        self.paths = paths
        self.volumes = volumes
        self.data = data
        self.contents = contents
        self.options = options
        self.directories = directories
        self.notes = notes
        parents = LayerParents(contents.layers.mapValues(\.parent), others: contents.otherLayers)
        // `ID.tar-split.gz`, and a directory `ID` of big data.
        layerFiles = Dictionary(
            grouping: contents.layerFiles.map { String(decoding: $0.bytes, as: UTF8.self) }
        ) {
            String($0.prefix { $0 != "." })
        }
    }

    mutating func assemble() {
        addLayers()
        addUnknownDirectories()
        addTransits()
        addImages()
        addContainers()
        addVolumes()
    }

    func reading(_ identity: StoreIdentity) -> StoreReading {
        notes.reading(
            StoreFacts(
                store: identity, layers: layerFacts, images: imageFacts, containers: containerFacts,
                volumes: volumeFacts, trees: trees, overhead: overhead), readAgainAt: readAgainAt)
    }

    // MARK: Layers

    private mutating func addLayers() {
        let writable = Set(contents.containers.values.map(\.layer))
        var used: Set<String> = []
        for image in contents.images.values {
            for top in [image.layer].compactMap(\.self) + image.mappedLayers where !used.contains(top) {
                used.formUnion(parents.chain(from: top).layers)
            }
        }
        for (id, layer) in contents.layers.sorted(by: { $0.key < $1.key }) {
            let flaw = parents.flaw(of: id)
            if let flaw { notes.add(flaw.fault(paths.layers + "/layers.json"), of: .layer(id)) }
            let kind: LayerFact.Kind =
                if layer.isIncomplete {
                    .inFlight
                } else if writable.contains(id) {
                    .container
                } else if used.contains(id) || layer.hasContent {
                    .image
                } else {
                    // Made for a container that is not named yet, or not any more.
                    .inFlight
                }
            let diffID = layer.diffDigest.flatMap(ObjectID.digest)
            if let digest = layer.diffDigest, !digest.isEmpty, diffID == nil {
                let reason = "its diff-digest is \(ObjectID.quoted(digest)), not a sha256 digest"
                notes.add(.damaged(paths.layers + "/layers.json", reason), of: .layer(id))
            }
            // -1 stands for a size that was not found out.
            let size = layer.diffSize.flatMap { $0 >= 0 && layer.hasContent ? $0 : nil }
            place(
                LayerFact(
                    id: id, kind: kind, parent: parents.parent(of: id), directory: differences(id),
                    isFullCopy: paths.driver == .vfs,
                    mount: kind == .container && paths.driver == .overlay ? mount(id) : nil,
                    declaredSizeBytes: size, diffID: diffID),
                isIncomplete: layer.isIncomplete)
        }
        let placed = Set(layerFacts.map(\.id))
        for index in layerFacts.indices {
            guard let parent = layerFacts[index].parent, !placed.contains(parent) else { continue }
            layerFacts[index].parent = nil
        }
    }

    private mutating func place(_ fact: LayerFact, isIncomplete: Bool) {
        let id = fact.id
        var fault = data?.missingDirectory(id)
        if data == nil { fault = .pending(paths.data, "it does not exist") }
        if fault == nil, paths.driver == .overlay { fault = data?.missingDirectory(id + "/diff") }
        if let fault {
            // Its directory is the last thing to be made, and the first to go.
            if isIncomplete, fault.isMissing { return }
            absent[id] = fault
            notes.add(fault, of: .layer(id))
            if !fault.isMissing { hasAllDifferences = false }
            return
        }
        var fact = fact
        fact.metadata = metadata(of: id)
        layerFacts.append(fact)
    }

    /// What the engine keeps of a layer beside its files.
    private mutating func metadata(of id: String) -> [String] {
        var groups = (layerFiles[id] ?? []).sorted().map { paths.below(paths.layers) + "/" + $0 }
        guard paths.driver == .overlay, let data else { return groups }
        let link = directories.link(of: id, in: data, &notes)
        if let fault = link.fault { notes.add(fault, of: .layer(id)) }
        if let link = link.link {
            groups.append("\(paths.below(paths.data))/\(LayerDirectories.links)/\(link)")
        }
        return ["\(paths.below(paths.data))/\(id)"] + groups
    }

    private func differences(_ id: String) -> String {
        paths.driver == .vfs ? "\(paths.data)/\(id)" : "\(paths.data)/\(id)/diff"
    }

    private func mount(_ id: String) -> OverlayMount {
        OverlayMount(merged: "\(paths.data)/\(id)/merged", work: "\(paths.data)/\(id)/work")
    }

    /// Directories of layers that no list names.
    private mutating func addUnknownDirectories() {
        guard let data else { return }
        for name in contents.directories where data.isDirectory(name) {
            let id = String(decoding: name.bytes, as: UTF8.self)
            guard contents.layers[id] == nil else { continue }
            // What has no id for a name is the engine's own, and so may all be where the lists cannot be read.
            guard ObjectID.isHex64(id), contents.knowsLayers else {
                if !LayerDirectories.transits.contains(id), id != LayerDirectories.links,
                    paths.driver == .vfs || (try? data.child(id))?.status(of: "diff") != nil
                {
                    hasAllDifferences = false
                }
                continue
            }
            guard let changed = changed(id, data) else { continue }
            let due = changed.addingReportingOverflow(Int64(options.orphanSeconds * 1e9))
            let isOrphan = due.overflow ? false : due.partialValue <= realtimeNanoseconds()
            if !isOrphan, !due.overflow { readAgainAt = min(readAgainAt ?? .max, due.partialValue) }
            wholeDirectories.append(id)
            layerFacts.append(
                LayerFact(
                    id: id, kind: isOrphan ? .orphan : .inFlight, directory: "\(paths.data)/\(id)",
                    isFullCopy: paths.driver == .vfs, since: isOrphan ? changed : nil,
                    metadata: metadata(of: id).filter { $0 != "\(paths.below(paths.data))/\(id)" }))
        }
    }

    /// When the directory or one that the driver makes in it last changed.
    private func changed(_ id: String, _ data: MetadataDirectory) -> Int64? {
        guard let own = data.status(of: id)?.changed else { return nil }
        let below = ["diff", "work", "merged"].compactMap { data.status(of: "\(id)/\($0)")?.changed }
        return ([own] + below).max()
    }

    /// What the engine downloads, and what it removes after it let go of its locks.
    private mutating func addTransits() {
        // The driver `vfs` has them beside the directory of its layers.
        let above = paths.driver == .vfs ? paths.root + "/vfs" : paths.data
        guard let directory = try? MetadataDirectory(path: above) else { return }
        for name in LayerDirectories.transits where directory.isDirectory(FileName(name)) {
            trees.append(
                TreeFact(
                    id: "in-flight:\(name)", kind: .inFlight, directory: "\(above)/\(name)", entries: ["*"]))
        }
    }

    // MARK: Images

    private mutating func addImages() {
        let path = paths.images + "/images.json"
        for (id, image) in contents.images.sorted(by: { $0.key < $1.key }) {
            let entry = contents.configs[id]
            notes.add(entry?.faults ?? [], of: .image(id))
            let chain = parents.chain(from: image.layer)
            if let flaw = chain.flaw { notes.add(flaw.fault(path), of: .image(id)) }
            var mapped: [String] = []
            for top in image.mappedLayers {
                let copy = parents.chain(from: top)
                if let flaw = copy.flaw { notes.add(flaw.fault(path), of: .image(id)) }
                mapped += copy.layers.filter { !chain.layers.contains($0) && !mapped.contains($0) }
            }
            notes.add(absent, of: chain.layers + mapped, to: .image(id))
            imageFacts.append(
                ImageFact(
                    id: id, names: image.names.filter { !$0.contains("@") }.sorted(),
                    layers: chain.layers.filter { absent[$0] == nil },
                    history: history(of: id, entry, chain), created: entry?.config?.created,
                    architecture: entry?.config?.architecture, os: entry?.config?.os,
                    content: mapped.filter { absent[$0] == nil },
                    metadata: entry?.isThere == true ? ["\(paths.below(paths.images))/\(id)"] : []))
        }
    }

    private mutating func history(
        of id: String, _ entry: ImageConfigs.Entry?, _ chain: LayerParents.Chain
    ) -> [HistoryStep] {
        guard let config = entry?.config else { return [] }
        // What is in another store has no layer here.
        let lacking = chain.goesOn ? max(0, (config.diffIDs?.count ?? 0) - chain.layers.count) : 0
        let layers = [String](repeating: "", count: lacking) + chain.layers
        var (steps, isConsistent) = config.history(over: layers)
        if let diffIDs = config.diffIDs, chain.flaw == nil, diffIDs.count != layers.count {
            isConsistent = false
        }
        if !isConsistent {
            let reason = "its configuration tells of another number of layers than it has"
            notes.add(.damaged("\(paths.images)/\(id)", reason), of: .image(id))
        }
        for index in steps.indices {
            let layer = steps[index].layer
            let isKnown = layer.map { !$0.isEmpty && absent[$0] == nil } ?? false
            if !isKnown || !isConsistent || chain.flaw != nil { steps[index].layer = nil }
        }
        return steps
    }
}
