internal import Accounting
internal import Wire

// The books' values as the contract writes them. Only shapes and names change here.

extension SourceState {
    init(_ confidence: Confidence) {
        switch confidence {
        case .exact: self = .exact
        case .converging: self = .converging
        case .polling: self = .polling
        case .stale: self = .stale
        case .damaged: self = .damaged
        }
    }
}

extension Source {
    /// `overheadAsOf` and `sharedExtentsAsOf`: when those were looked at last, nanoseconds since the epoch.
    init(
        _ source: SourceUsage, asOf: Int64, overheadAsOf: Int64? = nil, sharedExtentsAsOf: Int64? = nil
    ) {
        self.init(
            engine: source.store.engine, driver: source.store.driver, root: source.store.root,
            state: SourceState(source.confidence), reason: source.confidence.reason ?? source.waiting,
            asOf: WireCoding.timestamp(wallNanoseconds: asOf), watches: source.watches,
            overheadAsOf: overheadAsOf.map { WireCoding.timestamp(wallNanoseconds: $0) },
            sharedExtentsAsOf: sharedExtentsAsOf.map { WireCoding.timestamp(wallNanoseconds: $0) },
            problems: source.problems.map(SourceProblem.init))
    }
}

extension SourceUsage {
    /// What a store that is converging waits for, where that is known.
    var waiting: String? {
        guard confidence == .converging, layersMeasured < layersTotal else { return nil }
        return "\(layersTotal - layersMeasured) of \(layersTotal) layers are not measured yet"
    }
}

extension SourceProblem {
    init(_ problem: StoreProblem) {
        let object =
            switch problem.object {
            case .store: "store"
            case .layer(let id): "layer \(id)"
            case .image(let id): "image \(id)"
            case .container(let id): "container \(id)"
            case .volume(let name): "volume \(name)"
            }
        self.init(object: object, path: problem.path, reason: problem.reason)
    }
}

extension Container {
    init(_ container: ContainerUsage, _ growth: (minute: Int64, hour: Int64, day: Int64)) {
        let fact = container.fact
        self.init(
            engine: container.store.engine, root: container.store.root, id: fact.id, name: fact.name,
            image: container.image,
            state: SourceState(container.confidence),
            reason: container.confidence.reason ?? container.overflow,
            diskBytes: container.writable.diskBytes, sizeBytes: container.writable.sizeBytes,
            virtualSizeBytes: container.virtual.sizeBytes, logBytes: container.logs.diskBytes,
            metadataBytes: container.metadata.diskBytes,
            volumes: fact.mounts.filter { $0.kind == .volume }.compactMap(\.name).sorted(),
            growth: Growth(minute: growth.minute, hour: growth.hour, day: growth.day),
            running: fact.isRunning, created: fact.created,
            deletedOpen: container.deletedOpen.map { DeletedOpen($0) })
    }
}

extension ContainerUsage {
    /// That its sizes are more than can be told; a container can make it so with sparse files.
    fileprivate var overflow: String? {
        guard writable.sizeBytes == .max || virtual.sizeBytes == .max else { return nil }
        return """
            the apparent sizes of its files add up to more than \(Int64.max) bytes, which is told in their place; \
            the allocated bytes are not affected
            """
    }
}

extension ContainerDetail.Mount {
    init(_ mount: MountFact) {
        self.init(
            kind: mount.kind.rawValue, name: mount.name, source: mount.source, destination: mount.destination)
    }
}

extension Wire.PathGrowth {
    init(_ growth: Accounting.PathGrowth) {
        self.init(path: growth.path, growthBytes: growth.diskBytes)
    }
}

extension Image {
    init(_ image: ImageUsage) {
        self.init(
            engine: image.store.engine, root: image.store.root, id: image.fact.id, names: image.fact.names,
            parent: image.fact.parent,
            sizeBytes: image.own.sizeBytes, virtualSizeBytes: image.virtual.sizeBytes,
            diskBytes: image.virtual.diskBytes, sharedBytes: image.shared.sizeBytes,
            uniqueBytes: image.unique.sizeBytes, layers: image.fact.layers, containers: image.containers,
            created: image.fact.created, state: SourceState(image.confidence),
            reason: image.confidence.reason)
    }
}

extension Layer {
    init(_ layer: LayerUsage) {
        self.init(
            engine: layer.key.store.engine, id: layer.key.id, kind: layer.fact.kind.rawValue,
            parent: layer.fact.parent, directory: layer.fact.directory, diskBytes: layer.charged.diskBytes,
            sizeBytes: layer.charged.sizeBytes, inodes: layer.charged.inodes,
            declaredSizeBytes: layer.fact.declaredSizeBytes,
            sharedInodeBytes: layer.gross.diskBytes - layer.charged.diskBytes, images: layer.images,
            containers: layer.containers, state: SourceState(layer.confidence),
            reason: layer.confidence.reason)
    }
}

extension Volume {
    init(_ volume: VolumeUsage) {
        self.init(
            engine: volume.store.engine, root: volume.store.root, name: volume.fact.name,
            driver: volume.fact.driver, anonymous: volume.fact.isAnonymous,
            state: SourceState(volume.confidence), reason: volume.confidence.reason,
            diskBytes: volume.measure?.diskBytes ?? 0, sizeBytes: volume.measure?.sizeBytes ?? 0,
            elsewhere: volume.measure == nil && volume.fact.tree == nil, source: volume.fact.source,
            containers: volume.containers)
    }
}

extension Orphan {
    init(_ layer: LayerUsage) {
        self.init(
            engine: layer.key.store.engine, root: layer.key.store.root, id: layer.key.id,
            path: layer.fact.directory, state: SourceState(layer.confidence),
            diskBytes: layer.charged.diskBytes, sizeBytes: layer.charged.sizeBytes,
            since: WireCoding.timestamp(wallNanoseconds: layer.fact.since ?? 0))
    }
}

extension Tree.Node {
    init(_ node: ImageForest.Node) {
        let children = node.children.map(Tree.Node.init)
        switch node.content {
        case .image(let image):
            self.init(
                kind: .image, engine: image.store.engine, id: image.fact.id, names: image.fact.names,
                sizeBytes: node.own.sizeBytes, virtualSizeBytes: node.virtual.sizeBytes,
                diskBytes: node.own.diskBytes, containers: image.containers, children: children)
        case .layers(let store, let id):
            self.init(
                kind: .layer, engine: store.engine, id: id, names: [], sizeBytes: node.own.sizeBytes,
                virtualSizeBytes: node.virtual.sizeBytes, diskBytes: node.own.diskBytes, containers: 0,
                children: children)
        }
    }
}

extension Alert {
    init(_ record: AlertRecord) {
        self.init(
            rule: record.rule, severity: record.severity == .critical ? .critical : .warning,
            state: record.state == .firing ? .firing : .resolved, engine: record.store.engine,
            root: record.store.root,
            container: record.container, containerID: record.containerID, image: record.image,
            valueBytes: record.valueBytes, limitBytes: record.limitBytes,
            windowSeconds: record.windowSeconds,
            since: WireCoding.timestamp(wallNanoseconds: record.since), message: record.message,
            top: record.top.map(Wire.PathGrowth.init))
    }
}

extension Total {
    init(_ sum: UsageTotals.Sum) {
        self.init(
            count: sum.count, diskBytes: sum.measure.diskBytes, sizeBytes: sum.measure.sizeBytes)
    }
}

extension Totals {
    init(_ totals: UsageTotals) {
        self.init()
        imageLayers = Total(totals.imageLayers)
        containers = Total(totals.containers)
        logs = Total(totals.logs)
        volumes = Total(totals.volumes)
        buildCache = Total(totals.buildCache)
        content = Total(totals.content)
        overhead = Total(totals.overhead)
        inFlight = Total(totals.inFlight)
        orphans = Total(totals.orphans)
    }
}

extension Since.Change {
    init(_ measure: Measure) {
        self.init(diskBytes: measure.diskBytes, sizeBytes: measure.sizeBytes)
    }
}
