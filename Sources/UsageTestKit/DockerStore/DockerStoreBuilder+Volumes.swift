public import Accounting
public import Kernel

extension DockerStoreBuilder {
    /// Adds a volume, in the order `dockerd` does: its directory, its options, then its record.
    ///
    /// With `mounted`, a type and a device, it has options, and its files are elsewhere. Without a name it is one that
    /// the engine made up a name for.
    @discardableResult
    public mutating func addVolume(
        named name: String? = nil, labels: [String: String] = [:],
        mounted: (type: String, device: String)? = nil,
        holding content: LayerContent = LayerContent(), driver: String = "local"
    ) throws(KernelError) -> VolumeFact {
        let isAnonymous = name == nil
        let name = name ?? newID()
        let isLocal = driver == "local"
        let directory = "\(root)/volumes/\(name)"
        if isLocal {
            try StoreFiles.makeDirectory(directory + "/_data")
            try content.write(below: directory + "/_data")
        }
        if let mounted {
            let options = DockerJSON.VolumeOptions(MountType: mounted.type, MountDevice: mounted.device)
            try StoreFiles.write(DockerJSON.text(options), to: directory + "/opts.json")
        }
        let volume = VolumeFact(
            name: name, tree: isLocal && mounted == nil ? "volume:\(name)" : nil,
            source: mounted.map { "\($0.type) \($0.device)" } ?? (isLocal ? directory + "/_data" : ""),
            driver: driver, isAnonymous: isAnonymous, labels: labels,
            metadata: isLocal ? ["volumes/\(name)"] : [])
        volumes[name] = volume
        volumeOptions[name] = mounted.map { ["type": $0.type, "device": $0.device] }
        try writeVolumes()
        return volume
    }

    /// Removes a volume in the engine's order: its directory, then its record.
    public mutating func removeVolume(_ name: String) throws(KernelError) {
        try StoreFiles.remove("\(root)/volumes/\(name)")
        volumes[name] = nil
        try writeVolumes()
    }

    mutating func writeVolumes() throws(KernelError) {
        guard dueLists?.insert(.volumes) == nil else { return }
        var tree = BoltTree()
        tree["volumes"] = .bucket(BoltTree())
        for volume in volumes.values {
            let record = DockerJSON.Volume(
                Name: volume.name, Driver: volume.driver, Labels: volume.labels,
                Options: volumeOptions[volume.name] ?? [:])
            tree["volumes", volume.name] = .text(DockerJSON.text(record))
        }
        var file = volumeFile ?? BoltFileBuilder()
        file.commit(tree)
        volumeFile = file
        try StoreFiles.write(file.bytes, to: root + "/volumes/metadata.db")
    }
}
