public import Accounting
public import Kernel

extension ContainersStorageBuilder {
    /// Adds a container on an image's layers, or on nothing.
    ///
    /// One with mounts or a log was started, so that its bundle is there.
    @discardableResult
    public mutating func addContainer(
        named name: String, on image: ImageFact?, content: LayerContent = LayerContent(),
        mounts: [MountFact] = [], logBytes: Int? = nil, isVolatile: Bool = false
    ) throws(KernelError) -> ContainerFact {
        let layer = try addLayer(
            content, on: image?.layers.last, kind: .container, isVolatile: isVolatile)
        let id = newID()
        let userData = userData(of: id)
        for path in ["artifacts", "secrets", "shm"] { try StoreFiles.makeDirectory("\(userData)/\(path)") }
        var container = ContainerFact(
            id: id, name: name, imageID: image?.id ?? "", imageName: image?.names.first, layer: layer.id,
            chain: image?.layers ?? [], mounts: mounts, created: "2024-05-01T11:00:00Z",
            metadata: ["\(driver)-containers/\(id)"])
        if !mounts.isEmpty || logBytes != nil {
            try StoreFiles.write(bundle(container).text, to: userData + "/config.json")
        }
        if let logBytes {
            try StoreFiles.fill(userData + "/ctr.log", size: logBytes, with: 0x78)
            container.logPath = userData + "/ctr.log"
            container.trees = ["log:\(id)"]
            trees["log:\(id)"] = TreeFact(
                id: "log:\(id)", kind: .log, directory: userData, entries: ["ctr.log*"])
        }
        containers[id] = container
        if isVolatile { volatile.insert(id) }
        try writeContainers()
        return container
    }

    public mutating func removeContainer(_ id: String) throws(KernelError) {
        guard let container = containers.removeValue(forKey: id) else { return }
        try removeLayer(container.layer)
        try writeContainers()
        try StoreFiles.remove("\(root)/\(driver)-containers/\(id)")
        for tree in container.trees { trees[tree] = nil }
    }

    public func writeContainers() throws(KernelError) {
        try write(
            "containers",
            containers.values.map { container in
                let metadata = StorageJSON.object([
                    "name": .string(container.name), "image-id": .string(container.imageID),
                    "image-name": .string(container.imageName ?? ""),
                ])
                return (
                    container.id,
                    .object([
                        "id": .string(container.id), "names": .strings([container.name]),
                        "image": .string(container.imageID), "layer": .string(container.layer),
                        "metadata": .string(metadata.text), "created": .string(container.created ?? ""),
                    ])
                )
            })
    }

    /// The parts of a container's OCI bundle that every container has, and its own mounts.
    private func bundle(_ container: ContainerFact) -> StorageJSON {
        let userData = userData(of: container.id)
        var mounts: [(type: String, source: String, destination: String)] = [
            ("proc", "proc", "/proc"), ("tmpfs", "tmpfs", "/dev"), ("bind", userData + "/shm", "/dev/shm"),
            ("bind", "/run/\(driver)-containers/\(container.id)/userdata/hosts", "/etc/hosts"),
        ]
        mounts += container.mounts.map { ($0.kind == .tmpfs ? "tmpfs" : "bind", $0.source, $0.destination) }
        return .object([
            "ociVersion": "1.0.2-dev", "hostname": .string(container.name),
            "mounts": .list(
                mounts.map { mount in
                    .object([
                        "type": .string(mount.type), "source": .string(mount.source),
                        "destination": .string(mount.destination),
                    ])
                }),
            "annotations": .object(["io.container.manager": "libpod"]),
        ])
    }

    /// Adds a volume and returns how a container mounts it.
    @discardableResult
    public mutating func addVolume(
        _ name: String, _ content: LayerContent = LayerContent(), at destination: String = "/data"
    ) throws(KernelError) -> MountFact {
        let directory = "\(root)/volumes/\(name)/_data"
        try StoreFiles.makeDirectory(directory)
        try content.write(below: directory)
        trees["volume:\(name)"] = TreeFact(id: "volume:\(name)", kind: .volume, directory: directory)
        volumes[name] = VolumeFact(
            name: name, tree: "volume:\(name)", source: directory,
            isAnonymous: name.utf8.count == 64 && !name.contains("-"), metadata: ["volumes/\(name)"])
        return MountFact(kind: .volume, name: name, source: directory, destination: destination)
    }

    public mutating func removeVolume(_ name: String) throws(KernelError) {
        guard volumes.removeValue(forKey: name) != nil else { return }
        trees["volume:\(name)"] = nil
        try StoreFiles.remove("\(root)/volumes/\(name)")
    }
}
