internal import Accounting
internal import StatusFeed
internal import Tracking
internal import Wire

/// Answers the socket's questions from the books, behind the barrier.
struct StatusAnswers: StatusProvider {
    let books: UsageBooks
    let tracking: TrackingService
    let stores: StoreFollowers
    let fileSystems: FileSystems
    let marks: MarkBook
    let cache: MeasureCache
    let counters: DaemonCounters
    let configuration: ConfigurationNote
    /// Watches that the configuration allows; `nil` where it leaves that to the kernel.
    let watchBudget: Int?
    let deletedOpen: DeletedOpenWatch
    let surveys: StoreSurveys
    let overlay: OverlaySilence
    let barrierMilliseconds: Int
    let version: String

    /// The books with all that was done before a question, or with the reasons why that cannot be said.
    struct Looked {
        var view: UsageBooks.View
        /// Writable layers whose figures may lack something; `nil` where that could not be found out in time.
        var unsettled: Set<LayerKey>?
        var reasons: [String]

        var isExact: Bool { reasons.isEmpty }
        var time: String { WireCoding.timestamp(wallNanoseconds: view.moment.wall) }
        var snapshot: UsageSnapshot { view.snapshot }

        /// Whether a layer's figure may lack a change of before the question, whatever the books say of it.
        func isOpen(_ layer: LayerUsage) -> Bool {
            layer.fact.isWritable && unsettled?.contains(layer.key) != false
        }

        /// Whether that is so of any layer of a store.
        func isOpen(_ store: StoreIdentity) -> Bool {
            unsettled.map { $0.contains { $0.store == store } } ?? true
        }
    }

    /// Deleted but open files are looked for as well where `withOpenFiles` says so.
    func look(withOpenFiles: Bool = false) async -> Looked {
        let start = Moment.now()
        // First the metadata: it names the layers that the trackers then look at.
        // A store that hangs may not take the time of all others.
        let storeMilliseconds = barrierMilliseconds * 3 / 4
        let areStoresRead = await stores.barrier(milliseconds: storeMilliseconds)
        let spent = Int((Moment.now().uptime - start.uptime) / 1_000_000)
        let unsettled = await tracking.barrier(
            deadlineMilliseconds: max(10, barrierMilliseconds - spent))
        // Behind the trackers: what was removed meanwhile is in one of both figures at least.
        if withOpenFiles { await deletedOpen.refresh() }
        let view = books.advance()
        let reasons = InexactReasons(
            areStoresRead: areStoresRead, wereAllRead: stores.areAllRead,
            storeMilliseconds: storeMilliseconds, unsettled: unsettled,
            barrierMilliseconds: barrierMilliseconds, snapshot: view.snapshot)
        return Looked(view: view, unsettled: unsettled, reasons: reasons.list)
    }

    // MARK: StatusProvider

    func status(top: Int?) async -> Status {
        let looked = await look(withOpenFiles: true)
        let snapshot = looked.snapshot
        let samples = await fileSystems.samples(of: snapshot.places)
        let measured = snapshot.sources.map(\.layersMeasured).reduce(0, +)
        let total = snapshot.sources.map(\.layersTotal).reduce(0, +)
        let lists = StatusLists(snapshot, top: top)
        return Status(
            time: looked.time, version: version, exact: looked.isExact, reasons: looked.reasons,
            sources: sources(looked),
            filesystems: FileSystem.list(samples, snapshot), totals: Totals(snapshot.totals),
            images: lists.images.map(Image.init),
            containers: lists.containers.map { container($0, looked) },
            volumes: lists.volumes.map(Volume.init), orphans: lists.orphans.map(Orphan.init),
            alerts: looked.view.alerts.firing.map(Alert.init),
            counters: counters.wire(tracking.counters, notCached: cache.missing),
            progress: measured < total ? Progress(layersMeasured: measured, layersTotal: total) : nil,
            deletedOpen: DeletedOpenState(looked.view, complaint: deletedOpen.complaint),
            omitted: lists.omitted)
    }

    func images() async -> ImageList {
        let looked = await look()
        return ImageList(
            time: looked.time, exact: looked.isExact, images: looked.snapshot.images.map(Image.init))
    }

    func image(_ reference: String) async throws(Problem) -> ImageDetail {
        let looked = await look()
        let images = looked.snapshot.images
        let image = images[
            try find(
                reference, "image", images.map { ($0.store, $0.fact.id, $0.fact.names) },
                hint: "usage-client images")]
        let history = ImageHistory(looked.snapshot, of: image.store)
        return ImageDetail(
            time: looked.time, exact: looked.isExact, image: Image(image), history: history.steps(of: image),
            parents: history.parents(of: image).map(\.fact.id), architecture: image.fact.architecture,
            os: image.fact.os)
    }

    func tree() async -> Tree {
        let looked = await look()
        return Tree(
            time: looked.time, exact: looked.isExact,
            roots: ImageForest(looked.snapshot).roots.map(Tree.Node.init))
    }

    func layers() async -> LayerList {
        let looked = await look()
        let layers = looked.snapshot.layers.values.sorted {
            ($0.key.store.root, $0.fact.kind.rawValue, $0.key.id)
                < ($1.key.store.root, $1.fact.kind.rawValue, $1.key.id)
        }
        return LayerList(time: looked.time, exact: looked.isExact, layers: layers.map { layer($0, looked) })
    }

    func containers() async -> ContainerList {
        let looked = await look(withOpenFiles: true)
        return ContainerList(
            time: looked.time, exact: looked.isExact, containers: containers(looked),
            deletedOpen: DeletedOpenState(looked.view, complaint: deletedOpen.complaint))
    }

    func container(_ reference: String) async throws(Problem) -> ContainerDetail {
        let looked = await look(withOpenFiles: true)
        let containers = looked.snapshot.containers
        let index = try find(
            reference, "container", containers.map { ($0.store, $0.fact.id, [$0.fact.name]) },
            hint: "usage-client containers")
        let container = containers[index]
        let fact = container.fact
        let layers = looked.snapshot.layers
        func layer(_ id: String?) -> Layer? {
            id.flatMap { layers[LayerKey(store: container.store, id: $0)] }.map { self.layer($0, looked) }
        }
        let top = looked.view.growth.top(
            of: container.key, withinSeconds: 86_400, at: looked.view.moment, limit: 20)
        return ContainerDetail(
            time: looked.time, exact: looked.isExact, container: self.containers(looked)[index],
            imageID: fact.imageID, labels: fact.labels, logPath: fact.logPath,
            mounts: fact.mounts.map(ContainerDetail.Mount.init), layer: layer(fact.layer),
            initLayer: layer(fact.initLayer), chain: fact.chain, top: top.map(Wire.PathGrowth.init),
            deletedOpen: DeletedOpenState(looked.view, complaint: deletedOpen.complaint))
    }

    func volumes() async -> VolumeList {
        let looked = await look()
        return VolumeList(
            time: looked.time, exact: looked.isExact, volumes: looked.snapshot.volumes.map(Volume.init))
    }

    func orphans() async -> OrphanList {
        let looked = await look()
        return OrphanList(
            time: looked.time, exact: looked.isExact, orphans: looked.snapshot.orphans.map(Orphan.init))
    }

    func alerts() async -> AlertList {
        let looked = await look()
        let book = looked.view.alerts
        return AlertList(
            time: looked.time, exact: looked.isExact, alerts: (book.firing + book.recent).map(Alert.init),
            rules: book.rules.map(\.name))
    }

    func since(_ name: String) async throws(Problem) -> Since {
        let looked = await look()
        let mark = try await marks.mark(name, at: looked.view.moment)
        let snapshot = looked.snapshot
        let samples = await fileSystems.samples(of: snapshot.places)
        return Since(
            from: mark, name: name, to: snapshot, fileSystems: FileSystem.list(samples, snapshot),
            mounts: FileSystem.mounts(samples, snapshot), time: looked.time, exact: looked.isExact)
    }

    func setMark(_ name: String) async throws(Problem) -> MarkSet {
        try MarkBook.check(name)
        let looked = await look()
        let snapshot = looked.snapshot
        let samples = await fileSystems.samples(of: snapshot.places)
        let mark = Mark(
            snapshot, wall: looked.view.moment.wall, isExact: looked.isExact,
            usedBytes: FileSystem.used(samples, snapshot))
        try await marks.set(mark, named: name)
        return MarkSet(mark: name, time: looked.time, exact: looked.isExact)
    }

    func health() -> Health {
        Health(
            status: stores.areAllRead ? "ok" : "starting", version: version,
            exact: stores.areAllRead && books.latest.isExact)
    }

    // MARK: Parts

    func sources(_ looked: Looked) -> [Source] {
        looked.snapshot.sources.map { source in
            var result = Source(
                source, asOf: looked.view.asOf[source.store] ?? looked.view.moment.wall,
                overheadAsOf: looked.snapshot.overheads[source.store]?.lookedAt,
                sharedExtentsAsOf: looked.snapshot.sharedExtents[source.store]?.lookedAt)
            if result.state == .exact, looked.isOpen(source.store) { result.state = .converging }
            return result
        }
    }

    func containers(_ looked: Looked) -> [Container] {
        looked.snapshot.containers.map { container($0, looked) }
    }

    private func container(_ container: ContainerUsage, _ looked: Looked) -> Container {
        var result = Container(
            container, looked.view.growth.growth(of: container.key, at: looked.view.moment))
        if result.state == .exact, let layer = looked.snapshot.layers[container.layer],
            looked.isOpen(layer)
        {
            result.state = .converging
        }
        return result
    }

    private func layer(_ usage: LayerUsage, _ looked: Looked) -> Layer {
        var result = Layer(usage)
        if result.state == .exact, looked.isOpen(usage) { result.state = .converging }
        return result
    }

    func find(
        _ reference: String, _ what: String,
        _ objects: [(store: StoreIdentity, id: String, names: [String])], hint: String
    ) throws(Problem) -> Int {
        switch Reference.find(reference, among: objects) {
        case .found(let index): return index
        case .none:
            throw Problem(
                .notFound, detail: "there is no \(what) with the name or id '\(reference)'; see \(hint)")
        case .ambiguous(let indices):
            let stores = Set(indices.map { objects[$0].store })
            let candidates = indices.prefix(20).map { index in
                let object = objects[index]
                let name = object.names.first { !$0.isEmpty } ?? object.id
                return stores.count > 1 ? "\(name)@\(object.store.root)" : name
            }
            throw Problem(
                .ambiguous,
                detail: "'\(reference)' could be \(indices.count) \(what)s; write "
                    + (stores.count > 1 ? "one of the candidates" : "more of it"),
                candidates: candidates)
        }
    }
}
