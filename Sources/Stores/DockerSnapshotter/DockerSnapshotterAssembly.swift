import Accounting
import Kernel

/// Puts what containerd has together with what the engine keeps of containers and volumes.
struct DockerSnapshotterAssembly {
    private let paths: DockerPaths
    private let snapshotter: Snapshotter
    /// The engine's in containerd; other namespaces are of whoever else uses it.
    private let namespace: String
    private var snapshots: ContainerdAssembly
    private var docker: DockerAssembly
    /// The engine's own namespace first.
    private let namespaces: [(name: String, content: ContainerdMetadata.Namespace)]
    private let indices: [String: Int]

    init(
        paths: DockerPaths, snapshotter: Snapshotter, namespace: String, snapshots: ContainerdAssembly,
        notes: ReadingNotes, horizon: Int64
    ) {
        self.paths = paths
        self.snapshotter = snapshotter
        self.namespace = namespace
        self.snapshots = snapshots
        namespaces = snapshots.databases.metadata.namespaces
            .sorted { ($0.key == namespace ? 0 : 1, $0.key) < ($1.key == namespace ? 0 : 1, $1.key) }
            .map { ($0.key, $0.value) }
        indices = Dictionary(
            snapshots.layers.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        docker = DockerAssembly(
            paths: paths, data: nil, chains: LayerChains([:]), horizon: horizon, notes: notes)
    }

    mutating func add(
        _ containers: [String: ContainerDirectory.Entry], _ volumes: [String: VolumeDirectory.Entry]
    ) {
        docker.addTrees(containers: containers, volumes: volumes)
        for index in snapshots.images.indices where snapshots.images[index].namespace == namespace {
            snapshots.images[index].names = snapshots.images[index].names.map(Self.familiar).uniqued()
                .sorted()
            snapshots.images[index].namespace = nil
        }
        for id in Set(containers.keys).union(forgottenContainers()).sorted() { add(id, containers[id]) }
        let used = docker.containerFacts.flatMap { container in
            container.chain + [container.layer, container.initLayer].compactMap(\.self)
        }
        snapshots.markBuildCache(but: Set(used))
    }

    func reading(_ identity: StoreIdentity) -> StoreReading {
        var notes = docker.notes
        notes.add(snapshots.notes)
        let overhead = OverheadFact(
            directory: paths.root,
            excluded: docker.excluded + [below(snapshots.paths.root)].compactMap(\.self) + paths.otherStores,
            groups: ["containers/*", "volumes/*"], beside: [snapshots.overhead])
        return notes.reading(
            StoreFacts(
                store: identity, layers: snapshots.layers, images: snapshots.images,
                containers: docker.containerFacts + snapshots.containers,
                volumes: docker.volumeFacts + snapshots.volumes, trees: docker.treeFacts + snapshots.trees,
                overhead: overhead), readAgainAt: snapshots.readAgainAt)
    }

    /// The path of a directory that lies below the data root.
    private func below(_ path: String) -> PathPattern? {
        path.hasPrefix(paths.root + "/")
            ? PathPattern(exactly: String(path.dropFirst(paths.root.count))) : nil
    }

    /// An image's name as the engine shows it: without the registry that it takes by itself.
    static func familiar(_ name: String) -> String {
        for prefix in ["docker.io/library/", "docker.io/"] where name.hasPrefix(prefix) {
            return String(name.dropFirst(prefix.count))
        }
        return name
    }

    // MARK: Containers

    /// The snapshot of a container.
    private struct Writable {
        let key: String
        let place: ContainerdAssembly.Placed
        let namespace: String
        /// When its directory last changed, nanoseconds since the epoch.
        let changed: Int64
    }

    private func writable(_ id: String) -> Writable? {
        for (name, content) in namespaces {
            guard let key = content.snapshots[snapshotter.rawValue]?[id],
                let place = snapshots.placed[snapshotter]?[key]
            else { continue }
            return Writable(
                key: key, place: place, namespace: name,
                changed: snapshots.listing.snapshots[snapshotter]?[place.name]?.changed ?? 0)
        }
        return nil
    }

    /// Containers of which a removal that was cut short left the layers alone.
    private func forgottenContainers() -> [String] {
        let names = snapshots.databases.metadata.namespaces[namespace]?.snapshots[snapshotter.rawValue] ?? [:]
        return names.keys.filter { ObjectID.isHex64($0) && names[$0 + "-init"] != nil }
    }

    private mutating func add(_ id: String, _ container: ContainerDirectory.Entry?) {
        let layer = writable(id)
        // A container of another driver has its writable layer elsewhere.
        if layer == nil, let driver = container?.config?.driver, driver != snapshotter.rawValue { return }
        docker.notes.add(container?.faults ?? [], of: .container(id))
        if layer == nil {
            docker.notes.add(
                .pending(
                    snapshots.paths.metadata + "/" + ContainerdDatabases.metadataFile,
                    "there is no snapshot of its id: the container has no writable layer"), of: .container(id)
            )
        }
        if container == nil {
            docker.notes.add(
                .pending("\(paths.containers)/\(id)", DockerAssembly.cutShort), of: .container(id))
        }
        let isDamaged = (container?.faults ?? []).contains { $0.severity == .damaged }
        guard
            docker.isListed(
                isComplete: layer != nil && container?.config != nil,
                isNothing: layer == nil && container?.config == nil, isDamaged: isDamaged,
                changed: max(layer?.changed ?? 0, container?.changed ?? 0))
        else { return }
        if let layer { place(layer, of: id) }
        let below = layer.map { snapshots.below($0.key, snapshotter) }
        var fact = docker.fact(
            id, container, layer: layer?.place.id ?? "", initLayer: below?.initial, chain: below?.chain ?? [],
            metadata: ["containers/\(id)"])
        if !fact.imageID.isEmpty {
            // The same image in two namespaces has two ids.
            let known = snapshots.imageIDs["\(layer?.namespace ?? namespace) sha256:\(fact.imageID)"]
            fact.imageID = known ?? fact.imageID
        }
        docker.containerFacts.append(fact)
    }

    /// Says of a container's layer where the engine mounts it, which is not where containerd would.
    private mutating func place(_ layer: Writable, of id: String) {
        guard snapshotter == .overlayfs, let index = indices[layer.place.id] else { return }
        snapshots.layers[index].mount = OverlayMount(
            merged: "\(paths.rootFileSystems)/\(snapshotter.rawValue)/\(id)",
            work: "\(snapshots.paths.snapshots(.overlayfs))/\(layer.place.name)/work")
    }
}
