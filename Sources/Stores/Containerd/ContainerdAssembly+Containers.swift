import Accounting

extension ContainerdAssembly {
    /// The labels by which the kubelet's containers are known.
    private enum PodLabel {
        static let namespace = "io.kubernetes.pod.namespace"
        static let pod = "io.kubernetes.pod.name"
        static let uid = "io.kubernetes.pod.uid"
        static let container = "io.kubernetes.container.name"
    }

    /// What keeps facts of containers from being parsed again.
    struct Specs: Sendable {
        private var known: [String: (bytes: ArraySlice<UInt8>, mounts: [ContainerSpec.Mount])] = [:]

        mutating func mounts(
            of containers: [(id: String, spec: ArraySlice<UInt8>)]
        ) -> [String: [ContainerSpec.Mount]] {
            var next: [String: (bytes: ArraySlice<UInt8>, mounts: [ContainerSpec.Mount])] = [:]
            for (id, spec) in containers {
                if let old = known[id], old.bytes == spec {
                    next[id] = old
                } else {
                    next[id] = (ArraySlice(Array(spec)), ContainerSpec.parse(spec)?.mounts ?? [])
                }
            }
            known = next
            return next.mapValues(\.mounts)
        }
    }

    private struct Entry {
        let object: String
        let namespace: String
        let id: String
        let record: ContainerdMetadata.Container
        let place: Placed
        let snapshotter: Snapshotter
        let key: String

        var sequence: UInt64 { SnapshotterMetadata.parts(ofKey: key)?.sequence ?? .max }
    }

    mutating func addContainers(
        _ ids: inout UniqueIDs, _ specs: inout Specs, _ pods: PodFiles
    ) {
        var entries: [Entry] = []
        for (name, content) in wanted {
            for (id, record) in content.containers.sorted(by: { $0.key < $1.key }) {
                if let entry = entry(name, content, id, record) { entries.append(entry) }
            }
        }
        let assigned = ids.assign(
            // In the order of their snapshots, so that a container and its layer have one id.
            entries.sorted { $0.sequence < $1.sequence }.map {
                let id = Self.id(ofName: $0.id)
                return ($0.object, [id, "\(Self.id(ofName: $0.namespace))/\(id)"])
            })
        let mounts = specs.mounts(of: entries.map { ($0.object, $0.record.spec) })
        let running = running(Set(entries.map(\.namespace)))
        let volumeNames = addVolumes(entries, pods)
        var logs: [String: String] = [:]
        for entry in entries.sorted(by: {
            ($0.record.created ?? "", $0.id) > ($1.record.created ?? "", $1.id)
        }) {
            // Containers that a pod had one after another write into one directory: it is the newest one's.
            guard let log = log(of: entry.record, pods), !trees.contains(where: { $0.id == log.id }) else {
                continue
            }
            logs[entry.object] = log.id
            trees.append(log)
        }
        for entry in entries {
            guard let id = assigned[entry.object] else { continue }
            let content = databases.metadata.namespaces[entry.namespace]
            let imageName = entry.record.image.flatMap { $0.isEmpty ? nil : $0 }
            let digest = imageName.flatMap { content?.images[$0] }
            let below = below(entry.key, entry.snapshotter)
            containers.append(
                ContainerFact(
                    id: id, name: name(of: entry),
                    imageID: digest.flatMap { imageIDs["\(entry.namespace) \($0)"] } ?? "",
                    imageName: imageName, labels: entry.record.labels, layer: entry.place.id,
                    initLayer: below.initial, chain: below.chain,
                    logPath: logs[entry.object].flatMap { log in trees.first { $0.id == log }?.directory },
                    mounts: facts(of: mounts[entry.object] ?? [], volumeNames),
                    created: entry.record.created,
                    isRunning: running[entry.namespace]?.contains(entry.id) == true,
                    trees: logs[entry.object].map { [$0] } ?? [], namespace: entry.namespace,
                    metadata: metadata(of: entry)))
        }
    }

    /// A container whose root file system is a snapshot that is accounted.
    private mutating func entry(
        _ namespace: String, _ content: ContainerdMetadata.Namespace, _ id: String,
        _ record: ContainerdMetadata.Container
    ) -> Entry? {
        // One whose root file system is a directory of somebody's own.
        guard !record.snapshotKey.isEmpty else { return nil }
        let path = paths.metadata + "/" + ContainerdDatabases.metadataFile
        let object = StoreProblem.Object.container(Self.id(ofName: id))
        guard let snapshotter = Snapshotter(rawValue: record.snapshotter) else {
            let name = ObjectID.quoted(record.snapshotter)
            notes.add(.damaged(path, "its snapshotter \(name) is not accounted"), of: object)
            return nil
        }
        guard let key = content.snapshots[record.snapshotter]?[record.snapshotKey] else {
            let name = ObjectID.quoted(record.snapshotKey)
            notes.add(.pending(path, "its snapshot \(name) does not exist"), of: object)
            return nil
        }
        guard let place = placed[snapshotter]?[key] else {
            // A view of a full copy is that copy.
            let kind = databases.snapshotters[snapshotter]?.snapshots[key]?.kind
            if !(snapshotter == .native && kind == .view) {
                notes.add(.damaged(path, "its snapshot \(ObjectID.quoted(key)) has no directory"), of: object)
            }
            return nil
        }
        return Entry(
            object: "\(namespace) \(id)", namespace: namespace, id: id, record: record, place: place,
            snapshotter: snapshotter, key: key)
    }

    private func name(of entry: Entry) -> String {
        let labels = entry.record.labels
        if let namespace = labels[PodLabel.namespace], let pod = labels[PodLabel.pod] {
            let container = labels[PodLabel.container].map { "/" + $0 } ?? ""
            return "\(namespace)/\(pod)\(container)"
        }
        return labels["nerdctl/name"].flatMap { $0.isEmpty ? nil : $0 } ?? entry.id
    }

    /// The ids of the containers that a runtime has a task for.
    private mutating func running(_ namespaces: Set<String>) -> [String: Set<String>] {
        var running: [String: Set<String>] = [:]
        for namespace in namespaces.sorted() where Self.isFileName(namespace) {
            for path in paths.tasks(of: namespace) {
                guard let directory = ContainerdListing.open(path, &notes) else { continue }
                running[namespace, default: []].formUnion(directory.names(where: { _ in true }, &notes))
            }
        }
        return running
    }

    private func metadata(of entry: Entry) -> [String] {
        guard Self.isFileName(entry.id), Self.isFileName(entry.namespace) else { return [] }
        let bundle = "\(ContainerdPaths.runtimes[0])/\(entry.namespace)/\(entry.id)"
        guard entry.record.labels[PodLabel.uid] != nil else { return [bundle] }
        return [bundle] + ["containers", "sandboxes"].map { "io.containerd.grpc.v1.cri/\($0)/\(entry.id)" }
    }

    private func facts(of mounts: [ContainerSpec.Mount], _ volumes: [String: String]) -> [MountFact] {
        mounts.compactMap { mount in
            if mount.type == "tmpfs" {
                return MountFact(kind: .tmpfs, source: mount.source, destination: mount.destination)
            }
            guard mount.isBind else { return nil }
            let volume = volumes[mount.source]
            return MountFact(
                kind: volume == nil ? .bind : .volume, name: volume, source: mount.source,
                destination: mount.destination)
        }
    }

    // MARK: Pods

    private func log(of record: ContainerdMetadata.Container, _ pods: PodFiles) -> TreeFact? {
        guard let namespace = record.labels[PodLabel.namespace], let pod = record.labels[PodLabel.pod],
            let uid = record.labels[PodLabel.uid], let container = record.labels[PodLabel.container]
        else { return nil }
        let name = "\(namespace)_\(pod)_\(uid)"
        guard pods.logs[name]?.contains(container) == true else { return nil }
        return TreeFact(
            id: "log:\(name)/\(container)", kind: .log,
            directory: "\(options.podLogs)/\(name)/\(container)")
    }

    /// The volumes of the pods, and those that images ask for; their names by the path they are bound from.
    private mutating func addVolumes(_ entries: [Entry], _ pods: PodFiles) -> [String: String] {
        var names: [String: String] = [:]
        var taken: Set<String> = []
        var seen: Set<String> = []
        for entry in entries.sorted(by: {
            ($0.record.created ?? "", $0.id) > ($1.record.created ?? "", $1.id)
        }) {
            let labels = entry.record.labels
            guard let uid = labels[PodLabel.uid], seen.insert(uid).inserted else { continue }
            let pod = "\(labels[PodLabel.namespace] ?? "")/\(labels[PodLabel.pod] ?? uid)"
            for (volume, path) in (pods.volumes[uid] ?? [:]).sorted(by: { $0.key < $1.key }) {
                var name = "\(pod)/\(volume)"
                if !taken.insert(name).inserted { name = "\(pod)/\(volume)@\(uid)" }
                names[path] = name
                let tree = TreeFact(id: "volume:\(uid)/\(volume)", kind: .volume, directory: path)
                trees.append(tree)
                volumes.append(VolumeFact(name: name, tree: tree.id, source: path, driver: "empty-dir"))
            }
        }
        for (container, found) in pods.imageVolumes.sorted(by: { $0.key < $1.key }) {
            for volume in found {
                let path = "\(paths.podContainers)/\(container)/volumes/\(volume)"
                let name = taken.insert(volume).inserted ? volume : "\(container)/\(volume)"
                names[path] = name
                let tree = TreeFact(id: "volume:\(container)/\(volume)", kind: .volume, directory: path)
                trees.append(tree)
                volumes.append(VolumeFact(name: name, tree: tree.id, source: path, isAnonymous: true))
            }
        }
        return names
    }
}
