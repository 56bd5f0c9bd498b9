import Accounting

/// Puts together what the parts of the store said.
struct DockerAssembly {
    let paths: DockerPaths
    /// The driver's directory; `nil` only where no layer is named.
    let data: MetadataDirectory?
    let chains: LayerChains
    /// Objects that changed after this moment may still be in the making.
    let horizon: Int64
    /// The names in `l` of each of the driver's directories.
    let links: [String: [String]]
    var notes: ReadingNotes

    var layerFacts: [LayerFact] = []
    var imageFacts: [ImageFact] = []
    var containerFacts: [ContainerFact] = []
    var volumeFacts: [VolumeFact] = []
    var treeFacts: [TreeFact] = []
    var overhead: OverheadFact?
    /// Paths below the root that count elsewhere than in the overhead, beside those of the layout.
    var excluded: [PathPattern] = []
    var readAgainAt: Int64?
    /// The driver's directories that metadata names, whether they are there or not.
    private(set) var named: Set<String> = []
    /// The layer that each of the driver's directories is.
    private(set) var owners: [String: String] = [:]
    /// Image layers that are named but have no directory that could be accounted.
    private(set) var absent: [String: MetadataFault] = [:]
    var ids: Set<String> = []

    init(
        paths: DockerPaths, data: MetadataDirectory?, chains: LayerChains, horizon: Int64,
        links: [String: [String]] = [:], notes: ReadingNotes
    ) {
        self.paths = paths
        self.data = data
        self.chains = chains
        self.horizon = horizon
        self.links = links
        self.notes = notes
    }

    func reading(_ identity: StoreIdentity) -> StoreReading {
        notes.reading(
            StoreFacts(
                store: identity, layers: layerFacts, images: imageFacts, containers: containerFacts,
                volumes: volumeFacts, trees: treeFacts, overhead: overhead), readAgainAt: readAgainAt)
    }

    /// Adds a layer if it has a directory that no other layer has; else says what is wrong.
    mutating func place(_ fact: LayerFact, in directoryID: String) -> MetadataFault? {
        named.insert(directoryID)
        let below = paths.driver.isOverlay ? directoryID + "/diff" : directoryID
        if let fault = data?.missingDirectory(below) { return fault }
        guard owners[directoryID] == nil else {
            return .damaged(fact.directory, "two layers name this directory")
        }
        guard ids.insert(fact.id).inserted else {
            return .damaged(fact.directory, "two layers have the id \(ObjectID.short(fact.id))")
        }
        owners[directoryID] = fact.id
        var fact = fact
        fact.isFullCopy = !paths.driver.isOverlay
        fact.metadata =
            paths.groups(ofDirectory: directoryID, links: links[directoryID] ?? []) + fact.metadata
        layerFacts.append(fact)
        return nil
    }

    mutating func add(layers: [String: LayerDatabase.Entry]) {
        for (id, layer) in layers.sorted(by: { $0.key < $1.key }) {
            notes.add(layer.faults, of: .layer(id))
            let flaw = chains.flaws[id]
            if let flaw { notes.add(flaw.layerDatabaseFault("\(paths.layers)/\(id)/parent"), of: .layer(id)) }
            // A layer's files never change, so its directory is watched only until what is wrong is put right.
            if flaw != nil || !layer.faults.isEmpty { notes.directories.append("\(paths.layers)/\(id)") }
            guard let cacheID = layer.cacheID else {
                absent[id] = layer.faults.first { $0.path.hasSuffix("/cache-id") }
                continue
            }
            let fact = LayerFact(
                id: id, kind: .image, parent: flaw == .cycle ? nil : layer.parent,
                directory: paths.differences(cacheID), declaredSizeBytes: layer.size, diffID: layer.diffID,
                metadata: [paths.group(ofLayer: id)])
            if let fault = place(fact, in: cacheID) {
                absent[id] = fault
                notes.add(fault, of: .layer(id))
            }
        }
    }

    mutating func add(
        images: [String: ImageDatabase.Entry], names: [String: [String]],
        layers: [String: LayerDatabase.Entry]
    ) {
        let isUnsettled = layers.values.contains { $0.faults.contains { $0.severity == .pending } }
        let ring = ParentRings.members(images.mapValues(\.parent))
        for (id, image) in images.sorted(by: { $0.key < $1.key }) {
            let path = "\(paths.imageConfigs)/\(id)"
            let diffIDs = image.config?.diffIDs ?? []
            let (chain, missing) = chains.chain(ofDiffIDs: diffIDs)
            if let missing {
                // An engine removes the image before its layers.
                guard AbsolutePath.exists(path) else { continue }
                var fault = missingLayer(missing, of: diffIDs, on: chain.last, path)
                if isUnsettled { fault.severity = .pending }
                notes.add(fault, of: .image(id))
            }
            notes.add(image.faults, of: .image(id))
            if ring.contains(id) {
                let path = "\(paths.imageMetadata)/\(id)/parent"
                notes.add(.damaged(path, "the parents of the image lead in a circle"), of: .image(id))
            }
            notes.add(absent, of: chain, to: .image(id))
            let history = image.config?.history(over: chain)
            if history?.isConsistent == false {
                notes.add(
                    .damaged(path, "its history tells of another number of layers than rootfs.diff_ids"),
                    of: .image(id))
            }
            imageFacts.append(
                ImageFact(
                    id: id, names: names[id] ?? [], parent: ring.contains(id) ? nil : image.parent,
                    layers: chain,
                    history: history?.steps ?? [], created: image.config?.created,
                    architecture: image.config?.architecture, os: image.config?.os,
                    metadata: paths.groups(ofImage: id)))
        }
        guard AbsolutePath.isDirectory(paths.imageConfigs) else {
            if !names.isEmpty || !layers.isEmpty {
                let reason = "it does not exist, but there are layers or names: the images are not known"
                notes.add(.pending(paths.imageConfigs, reason), of: .store)
            }
            return
        }
        for (id, references) in names.sorted(by: { $0.key < $1.key }) where images[id] == nil {
            // Nothing if the image was made or removed while this read.
            guard !AbsolutePath.exists("\(paths.imageConfigs)/\(id)") else { continue }
            let reason = "\(ObjectID.quoted(references.first ?? "")) names an image that is not in imagedb"
            notes.add(.pending("\(paths.metadata)/repositories.json", reason), of: .image(id))
        }
    }

    private func missingLayer(
        _ index: Int, of diffIDs: [String], on below: String?, _ path: String
    ) -> MetadataFault {
        let place = "layer \(index + 1) of \(diffIDs.count)"
        guard ObjectID.digest(diffIDs[index]) != nil else {
            return .damaged(path, "\(place) is \(ObjectID.quoted(diffIDs[index])), not a diff id")
        }
        guard index < LayerChains.maximumDepth else {
            return .damaged(path, "it has more than \(LayerChains.maximumDepth) layers")
        }
        let base = below.map { " on layer \(ObjectID.short($0))" } ?? ""
        let gone = AbsolutePath.isDirectory(paths.layers) ? "" : "; \(paths.layers) does not exist"
        return .damaged(path, "\(place), diff id \(diffIDs[index]), is not in layerdb\(base)\(gone)")
    }
}
