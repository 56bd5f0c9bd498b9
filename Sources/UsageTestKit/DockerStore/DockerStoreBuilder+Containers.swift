public import Accounting
public import Kernel

extension DockerStoreBuilder {
    /// Adds a container on an image, or on nothing, in the order `dockerd` does: the driver's directories, the
    /// entry in `layerdb/mounts`, then its configuration.
    ///
    /// One that runs is mounted by its engine, and nothing is mounted here.
    @discardableResult
    public mutating func addContainer(
        named name: String, on image: ImageFact?, imageName: String? = nil, labels: [String: String] = [:],
        mounts: [MountFact] = [], isRunning: Bool = false
    ) throws(KernelError) -> ContainerFact {
        let id = newID()
        let mountID = newID()
        let initID = "\(mountID)-init"
        let top = image?.layers.last
        let initial = try makeDriverDirectory(initID, on: top)
        try writeInitialContent(below: initial)
        let upper = try makeDriverDirectory(mountID, on: top, above: [initID])

        let mount = "\(metadata)/layerdb/mounts/\(id)"
        try StoreFiles.makeDirectory(mount)
        if let top { try StoreFiles.write("sha256:\(top)", to: mount + "/parent") }
        try StoreFiles.write(mountID, to: mount + "/mount-id")
        try StoreFiles.write(initID, to: mount + "/init-id")

        let container = ContainerFact(
            id: id, name: name, imageID: image?.id ?? "",
            imageName: imageName ?? image?.names.first, labels: labels, layer: mountID, initLayer: initID,
            chain: image?.layers ?? [], logPath: "\(root)/containers/\(id)/\(id)-json.log",
            mounts: mounts.sorted { $0.destination < $1.destination }, created: "2015-02-20T12:00:00.25Z",
            isRunning: isRunning, trees: ["log:\(id)"],
            metadata: ["containers/\(id)", "image/\(driver)/layerdb/mounts/\(id)"])
        try makeDirectory(of: container)

        layers[initID] = LayerFact(
            id: initID, kind: .initial, parent: top, directory: initial, isFullCopy: !isOverlay,
            metadata: groups(of: initID))
        let own = "\(root)/\(driver)/\(mountID)"
        layers[mountID] = LayerFact(
            id: mountID, kind: .container, parent: initID, directory: upper, isFullCopy: !isOverlay,
            mount: isOverlay ? OverlayMount(merged: own + "/merged", work: own + "/work") : nil,
            metadata: groups(of: mountID))
        directoryIDs[initID] = initID
        directoryIDs[mountID] = mountID
        return container
    }

    /// Makes what the engine keeps of a container beside its layers.
    public mutating func makeDirectory(of container: ContainerFact) throws(KernelError) {
        let directory = "\(root)/containers/\(container.id)"
        try StoreFiles.makeDirectory(directory)
        try StoreFiles.write("", to: "\(directory)/\(container.id)-json.log")
        for file in ["hostname", "hosts", "resolv.conf"] {
            try StoreFiles.write("", to: "\(directory)/\(file)")
        }
        try write(container)
        containers[container.id] = container
    }

    /// Changes what the engine keeps of a container, for example its name or whether it runs.
    public mutating func update(_ container: ContainerFact) throws(KernelError) {
        containers[container.id] = container
        try write(container)
    }

    /// Removes a container in the engine's order: its layers, their entry, then its own directory.
    public mutating func removeContainer(_ id: String) throws(KernelError) {
        guard let container = containers.removeValue(forKey: id) else { return }
        for layer in [container.layer, container.initLayer].compactMap(\.self) {
            try removeDriverDirectory(layer)
            layers[layer] = nil
            directoryIDs[layer] = nil
        }
        try StoreFiles.remove("\(metadata)/layerdb/mounts/\(id)")
        try StoreFiles.remove("\(root)/containers/\(id)")
    }

    /// Where the container's writes go.
    public func upperDirectory(of container: ContainerFact) -> String {
        differences(container.layer)
    }

    private func write(_ container: ContainerFact) throws(KernelError) {
        let directory = "\(root)/containers/\(container.id)"
        let points = container.mounts.map { mount in
            DockerJSON.Container.MountPoint(
                Type: mount.kind.rawValue, Name: mount.name ?? "", Source: mount.source,
                Destination: mount.destination, Driver: mount.kind == .volume ? "local" : "")
        }
        let config = DockerJSON.Container(
            ID: container.id, Name: "/" + container.name,
            Image: container.imageID.isEmpty ? "" : "sha256:\(container.imageID)", Driver: driver,
            Created: container.created,
            LogPath: container.logPath ?? "",
            Config: DockerJSON.Container.Config(
                Hostname: String(container.id.prefix(12)), Image: container.imageName ?? "",
                Labels: container.labels),
            State: DockerJSON.Container.State(Running: container.isRunning),
            MountPoints: Dictionary(
                points.map { ($0.Destination, $0) }, uniquingKeysWith: { first, _ in first }))
        try StoreFiles.replace(
            directory + "/config.v2.json", with: DockerJSON.text(config),
            temporary: directory + "/.tmp-config.v2.json")
        try StoreFiles.replace(
            directory + "/hostconfig.json", with: #"{"LogConfig":{"Type":"json-file","Config":{}}}"#,
            temporary: directory + "/.tmp-hostconfig.json")
    }

    /// The mount points that the engine prepares for every container.
    func writeInitialContent(below directory: String) throws(KernelError) {
        for path in ["dev/pts", "dev/shm", "etc", "proc", "sys"] {
            try StoreFiles.makeDirectory("\(directory)/\(path)")
        }
        for path in [".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"] {
            try StoreFiles.write("", to: "\(directory)/\(path)")
        }
        try StoreFiles.link("\(directory)/etc/mtab", to: "/proc/mounts")
    }
}
