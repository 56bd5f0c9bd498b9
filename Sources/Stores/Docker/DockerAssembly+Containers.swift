import Accounting

extension DockerAssembly {
    mutating func add(
        mounts: [String: MountDatabase.Entry], containers: [String: ContainerDirectory.Entry]
    ) {
        for id in Set(mounts.keys).union(containers.keys).sorted() {
            let container = containers[id]
            let mount = mounts[id]
            if let mount, container == nil, !ObjectID.isHex64(id) {
                addBuildStep(id, mount)
                continue
            }
            // A container of another driver has its writable layer elsewhere.
            if mount == nil, let driver = container?.config?.driver, driver != paths.driver.rawValue {
                continue
            }
            addContainer(id, mount, container)
        }
    }

    /// The writable layer that BuildKit makes of an image's to mount it for a step.
    private mutating func addBuildStep(_ name: String, _ mount: MountDatabase.Entry) {
        notes.add(mount.faults, of: .layer(mount.mountID ?? name))
        guard let mountID = mount.mountID else { return }
        let fact = LayerFact(
            id: mountID, kind: .buildCache, parent: mount.parent, directory: paths.differences(mountID),
            isWritable: true, mount: paths.mount(mountID), metadata: [paths.group(ofMount: name)])
        if let fault = place(fact, in: mountID) { notes.add(fault, of: .layer(mountID)) }
    }

    private mutating func addContainer(
        _ id: String, _ mount: MountDatabase.Entry?, _ container: ContainerDirectory.Entry?
    ) {
        notes.add(mount?.faults ?? [], of: .container(id))
        notes.add(container?.faults ?? [], of: .container(id))
        if mount == nil {
            let reason = "it does not exist: the container has no writable layer"
            notes.add(.pending("\(paths.mounts)/\(id)", reason), of: .container(id))
        }
        if container == nil {
            notes.add(.pending("\(paths.containers)/\(id)", Self.cutShort), of: .container(id))
        }
        var chain: [String] = []
        if let mount {
            chain = addLayers(of: id, mount)
        }

        let isDamaged = ((mount?.faults ?? []) + (container?.faults ?? [])).contains {
            $0.severity == .damaged
        }
        guard
            isListed(
                isComplete: mount?.mountID != nil && container?.config != nil,
                isNothing: mount == nil && container?.config == nil, isDamaged: isDamaged,
                changed: max(mount?.changed ?? 0, container?.changed ?? 0))
        else { return }
        containerFacts.append(
            fact(
                id, container, layer: mount?.mountID ?? "", initLayer: mount?.initID, chain: chain,
                metadata: ["containers/\(id)", paths.group(ofMount: id)]))
    }

    /// Why a container that has a layer and no directory is not whole.
    static let cutShort =
        "it does not exist, but the container's layer does; a removal may have been cut short"

    /// Whether a container is told, of which something may be missing.
    ///
    /// What is damaged does not become whole by waiting, and what the directory of a removed container leaves behind
    /// is no container.
    func isListed(isComplete: Bool, isNothing: Bool, isDamaged: Bool, changed: Int64) -> Bool {
        let isYoung = changed > horizon && !isDamaged
        return isComplete || !(isYoung || isNothing)
    }

    /// What its directory says of a container.
    mutating func fact(
        _ id: String, _ container: ContainerDirectory.Entry?, layer: String, initLayer: String?,
        chain: [String], metadata: [String]
    ) -> ContainerFact {
        let config = container?.config
        let imageID = config?.image.flatMap(ObjectID.digest)
        if let image = config?.image, imageID == nil {
            let path = "\(paths.containers)/\(id)/config.v2.json"
            notes.add(
                .damaged(path, "its image is \(ObjectID.quoted(image)), not an id"), of: .container(id))
        }
        let name = config?.name ?? ""
        return ContainerFact(
            id: id, name: name.isEmpty ? ObjectID.short(id) : name, imageID: imageID ?? "",
            imageName: config?.imageName, labels: config?.labels ?? [:], layer: layer,
            initLayer: initLayer, chain: chain, logPath: config?.logPath,
            mounts: (config?.mounts ?? []).map { $0.fact(volumes: paths.volumes) },
            created: config?.created, isRunning: config?.isRunning ?? false,
            trees: container == nil ? [] : [Self.logID(id)], metadata: metadata)
    }

    /// Adds a container's own layers and returns the chain they lie on.
    private mutating func addLayers(of id: String, _ mount: MountDatabase.Entry) -> [String] {
        var chain: [String] = []
        if let parent = mount.parent {
            let walked = chains.chain(from: parent)
            chain = walked.layers
            if let flaw = walked.flaw {
                notes.add(flaw.layerDatabaseFault("\(paths.mounts)/\(id)/parent"), of: .container(id))
            }
            notes.add(absent, of: chain, to: .container(id))
        }
        if let initID = mount.initID {
            let fact = LayerFact(
                id: initID, kind: .initial, parent: mount.parent, directory: paths.differences(initID))
            if let fault = place(fact, in: initID) { notes.add(fault, of: .container(id)) }
        }
        if let mountID = mount.mountID {
            let fact = LayerFact(
                id: mountID, kind: .container, parent: mount.initID ?? mount.parent,
                directory: paths.differences(mountID), mount: paths.mount(mountID))
            if let fault = place(fact, in: mountID) { notes.add(fault, of: .container(id)) }
        }
        return chain
    }
}
