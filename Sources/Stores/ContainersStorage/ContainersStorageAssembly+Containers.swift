import Accounting
import Kernel

extension ContainersStorageAssembly {
    mutating func addContainers() {
        let ownerIsRoot = (try? FileStatus.of(path: paths.root))?.owner == 0
        var owners: [String: String] = [:]
        for (id, container) in contents.containers.sorted(by: { $0.key < $1.key }) {
            let entry = contents.userData.entries[id]
            notes.add(entry?.faults ?? [], of: .container(id))
            let path = paths.containers + "/containers.json"
            if let other = owners.updateValue(id, forKey: container.layer) {
                let reason = "the container \(ObjectID.short(other)) has the same writable layer"
                notes.add(.damaged(path, reason), of: .container(id))
            }
            if contents.layers[container.layer] == nil {
                let reason = "its layer \(ObjectID.quoted(container.layer)) is not in the store"
                notes.add(.pending(path, reason), of: .container(id))
            }
            let below = contents.layers[container.layer]?.parent
            let chain =
                parents.rings.contains(container.layer) ? LayerParents.Chain() : parents.chain(from: below)
            if let flaw = chain.flaw { notes.add(flaw.fault(path), of: .container(id)) }
            notes.add(absent, of: chain.layers + [container.layer], to: .container(id))
            let log = addLog(of: id, entry, ownerIsRoot)
            let name = container.names.first ?? container.metadata?.name
            containerFacts.append(
                ContainerFact(
                    id: id, name: name ?? ObjectID.short(id), imageID: container.image ?? "",
                    imageName: container.metadata?.imageName, labels: entry?.config?.labels ?? [:],
                    layer: container.layer, chain: chain.layers.filter { absent[$0] == nil },
                    logPath: log?.path,
                    mounts: entry?.config?.facts(volumes: [volumes, paths.volumes]) ?? [],
                    created: container.created,
                    isRunning: entry?.hasMount == true || isMounted(container.layer),
                    trees: log.map { [$0.tree] } ?? [],
                    metadata: entry == nil ? [] : ["\(paths.below(paths.containers))/\(id)"]))
        }
        // What a container that went left behind.
        for (id, entry) in contents.userData.entries.sorted(by: { $0.key < $1.key })
        where entry.hasLog && contents.containers[id] == nil {
            _ = addLog(of: id, entry, false)
        }
    }

    private mutating func addLog(
        of id: String, _ entry: UserData.Entry?, _ ownerIsRoot: Bool
    ) -> (tree: String, path: String)? {
        let tree = "log:\(id)"
        if let entry, entry.hasLog {
            let directory = "\(paths.containers)/\(id)/\(UserData.directory)"
            trees.append(TreeFact(id: tree, kind: .log, directory: directory, entries: [UserData.log]))
            return (tree, directory + "/ctr.log")
        }
        // A store that is a user's own may say anything.
        guard ownerIsRoot, let path = entry?.config?.logPath, path.hasPrefix(options.podLogs + "/"),
            let slash = path.lastIndex(of: "/"), !path.utf8.contains(0)
        else { return nil }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let directory = String(path[..<slash])
        guard !parts.contains(where: { ["", ".", ".."].contains($0) }), let file = parts.last,
            AbsolutePath.isDirectory(directory)
        else { return nil }
        let selected = NamePattern(prefix: file, suffix: "")
        trees.append(TreeFact(id: tree, kind: .log, directory: directory, entries: [selected]))
        return (tree, path)
    }

    private func isMounted(_ layer: String) -> Bool {
        guard paths.driver == .overlay, absent[layer] == nil, contents.layers[layer] != nil else {
            return false
        }
        return (try? data?.child(layer))?.isMountPoint("merged") ?? false
    }

    // MARK: Volumes

    mutating func addVolumes() {
        for (name, isMounted) in contents.volumes.volumes {
            let source = "\(paths.volumes)/\(name)/\(VolumeDirectories.data)"
            if !isMounted { trees.append(TreeFact(id: "volume:\(name)", kind: .volume, directory: source)) }
            volumeFacts.append(
                VolumeFact(
                    name: name, tree: isMounted ? nil : "volume:\(name)", source: source,
                    isAnonymous: ObjectID.isHex64(name), metadata: ["\(paths.below(paths.volumes))/\(name)"]))
        }
    }
}

extension NamePattern {
    fileprivate init(prefix: some StringProtocol, suffix: String) {
        self.init(exactly: prefix.utf8)
        self.suffix = Array(suffix.utf8)
    }
}
