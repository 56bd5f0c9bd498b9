public import Accounting

/// A ledger that lives through random changes, beside all that was told of what it still knows.
///
/// From the latter ``rebuilt()`` makes the books anew: a ledger that was told everything at once and has no earlier
/// snapshot to take anything from.
public struct LedgerSimulation {
    /// What was told of one store.
    private struct Told {
        var facts: StoreFacts
        var metadata = Confidence.exact
        var watches = 0
        var records: [String: Record] = [:]
        var overhead: (measure: OverheadMeasure?, failure: String?, moment: Int64)?
        var extents: (extents: SharedExtents?, failure: String?, moment: Int64)?
    }

    private struct Record {
        var measure: LayerMeasure
        var confidence: Confidence
        var watches: Int
        var moment: Int64?
    }

    private var told: [StoreIdentity: Told] = [:]
    private var deletedOpen = UsageSnapshot.empty.deletedOpen
    private var random: SeededGenerator
    private var ledger = Ledger()
    private var clock: Int64 = 0
    /// What the last step did, for messages.
    public private(set) var step = ""
    /// Layers that the last step told something of.
    public private(set) var recorded: [LayerKey] = []

    private static let stores = [
        StoreIdentity(engine: "docker", driver: "overlay2", root: "/a"),
        StoreIdentity(engine: "docker", driver: "vfs", root: "/b"),
        StoreIdentity(engine: "podman", driver: "overlay", root: "/c"),
    ]

    public init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    public mutating func snapshot() -> UsageSnapshot { ledger.snapshot() }

    /// The same from books that are made anew.
    public func rebuilt() -> UsageSnapshot {
        var ledger = Ledger()
        for (store, told) in told {
            _ = ledger.update(told.facts, metadata: told.metadata, watches: told.watches)
            for (id, record) in told.records {
                ledger.record(
                    LayerKey(store: store, id: id), record.measure, confidence: record.confidence,
                    watches: record.watches, at: record.moment)
            }
            if let overhead = told.overhead {
                if let measure = overhead.measure { ledger.record(measure, of: store, at: overhead.moment) }
                if let failure = overhead.failure { ledger.failOverhead(of: store, reason: failure) }
            }
            if let extents = told.extents {
                ledger.expectSharedExtents(of: store)
                if let known = extents.extents { ledger.record(known, of: store, at: extents.moment) }
                if let failure = extents.failure { ledger.failSharedExtents(of: store, reason: failure) }
            }
        }
        ledger.record(deletedOpen)
        return ledger.snapshot()
    }

    /// What is charged to each layer and tree of what was measured of it, by a walk over all inodes in the order of
    /// ownership.
    public func charged() -> [LayerKey: Measure] {
        var all: [(order: (Int, String, String, String), key: LayerKey, measure: LayerMeasure)] = []
        for (store, told) in told {
            func add(_ id: String, _ rank: Int) {
                guard let measure = told.records[id]?.measure else { return }
                let key = LayerKey(store: store, id: id)
                all.append(((rank, store.engine, store.root, id), key, measure))
            }
            for layer in told.facts.layers {
                add(layer.id, LayerFact.Kind.allCases.firstIndex(of: layer.kind) ?? 0)
            }
            for tree in told.facts.trees {
                add(tree.id, 100 + (TreeFact.Kind.allCases.firstIndex(of: tree.kind) ?? 0))
            }
        }
        var seen: Set<InodeKey> = []
        var charged: [LayerKey: Measure] = [:]
        for (_, key, measure) in all.sorted(by: { $0.order < $1.order }) {
            var rest = measure.total
            for (inode, one) in measure.linkedOutside where !seen.insert(inode).inserted { rest -= one }
            rest.diskBytes -= told[key.store]?.extents?.extents?.chargedElsewhere[key] ?? 0
            charged[key] = rest
        }
        return charged
    }

    // MARK: Changes

    /// Tells the ledger one to three things.
    public mutating func change() {
        step = ""
        recorded = []
        for _ in 0..<Int.random(in: 1...3, using: &random) { changeOnce() }
    }

    private mutating func changeOnce() {
        clock += 1
        let store = Self.stores.randomElement(using: &random) ?? Self.stores[0]
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<16: update(store)
        case 16..<18: remove(store)
        case 18..<70: record(store)
        case 70..<78: fail(store)
        case 78..<86: changeOverhead(store)
        case 86..<92: changeExtents(store)
        default: changeOpenFiles()
        }
    }

    private mutating func update(_ store: StoreIdentity) {
        let known = told[store]
        var facts = known?.facts ?? StoreFacts(store: store)
        facts.problems = []
        for _ in 0..<Int.random(in: 0...4, using: &random) { change(&facts) }
        problems(&facts)
        let metadata: Confidence = Int.random(in: 0..<8, using: &random) == 0 ? .converging : .exact
        let watches = Int.random(in: 0..<9, using: &random)
        step += "facts of \(store.root); "
        _ = ledger.update(facts, metadata: metadata, watches: watches)
        if let known, facts.problems.contains(where: { $0.severity == .unreadable }) {
            let problems = facts.problems
            facts = known.facts
            facts.problems = problems
        }
        var now = known ?? Told(facts: facts)
        now.facts = facts
        now.metadata = metadata
        now.watches = watches
        let layers = Dictionary(uniqueKeysWithValues: facts.layers.map { ($0.id, $0) })
        let trees = Dictionary(uniqueKeysWithValues: facts.trees.map { ($0.id, $0) })
        for id in now.records.keys {
            let layer = known?.facts.layers.first { $0.id == id }
            let tree = known?.facts.trees.first { $0.id == id }
            let goesOn =
                layer.map { $0.directory == layers[id]?.directory && $0.kind == layers[id]?.kind }
                ?? (tree != nil && tree == trees[id])
            if !goesOn { now.records[id] = nil }
        }
        if facts.overhead?.directory != known?.facts.overhead?.directory { now.overhead = nil }
        told[store] = now
    }

    private mutating func change(_ facts: inout StoreFacts) {
        let root = facts.store.root
        let id = "\(clock)-\(Int.random(in: 0..<1000, using: &random))"
        let images = facts.layers.filter { $0.kind == .image }
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1:
            let below = facts.images.randomElement(using: &random)
            var chain = below?.layers ?? []
            for index in 0..<Int.random(in: 1...3, using: &random) {
                let layer = "l\(id).\(index)"
                facts.layers.append(
                    LayerFact(
                        id: layer, kind: .image, parent: chain.last, directory: "\(root)/\(layer)",
                        isFullCopy: facts.store.driver == "vfs",
                        declaredSizeBytes: Bool.random(using: &random) ? 77 : nil))
                chain.append(layer)
            }
            facts.images.append(
                ImageFact(
                    id: "i\(id)", names: Bool.random(using: &random) ? ["name\(id)"] : [],
                    parent: Bool.random(using: &random) ? below?.id : nil, layers: chain,
                    history: Bool.random(using: &random)
                        ? chain.map { HistoryStep(instruction: "RUN", layer: $0) } : []))
        case 2, 3, 4, 5:
            let image = facts.images.randomElement(using: &random)
            facts.layers.append(
                LayerFact(
                    id: "w\(id)", kind: .container, parent: image?.layers.last, directory: "\(root)/w\(id)",
                    isFullCopy: facts.store.driver == "vfs"))
            facts.trees.append(TreeFact(id: "log:\(id)", kind: .log, directory: "\(root)/log\(id)"))
            facts.volumes.append(VolumeFact(name: "v\(id)", tree: "volume:\(id)", source: "\(root)/v\(id)"))
            facts.trees.append(TreeFact(id: "volume:\(id)", kind: .volume, directory: "\(root)/v\(id)"))
            facts.containers.append(
                ContainerFact(
                    id: "c\(id)", name: "c\(id)", imageID: image?.id ?? "", layer: "w\(id)",
                    chain: image?.layers ?? [],
                    mounts: [
                        MountFact(kind: .volume, name: "v\(id)", source: "\(root)/v\(id)", destination: "/v")
                    ],
                    trees: ["log:\(id)"], metadata: ["meta/\(Int.random(in: 0..<4, using: &random))"]))
        case 6:
            guard let victim = facts.containers.randomElement(using: &random) else { return }
            facts.containers.removeAll { $0.id == victim.id }
            facts.layers.removeAll { $0.id == victim.layer }
            facts.trees.removeAll { victim.trees.contains($0.id) }
        case 7:
            guard let victim = facts.images.randomElement(using: &random) else { return }
            facts.images.removeAll { $0.id == victim.id }
        case 8:
            // The chain of whoever lies on it has a hole then.
            guard let victim = images.randomElement(using: &random) else { return }
            facts.layers.removeAll { $0.id == victim.id }
        case 9:
            guard let index = facts.layers.indices.randomElement(using: &random) else { return }
            facts.layers[index].directory += "+"
        case 10:
            guard let index = facts.containers.indices.randomElement(using: &random) else { return }
            facts.containers[index].name += "+"
            facts.containers[index].isRunning.toggle()
        default:
            facts.overhead =
                facts.overhead == nil || Bool.random(using: &random)
                ? OverheadFact(directory: Bool.random(using: &random) ? root : "\(root)/below") : nil
        }
    }

    private mutating func problems(_ facts: inout StoreFacts) {
        guard Int.random(in: 0..<3, using: &random) == 0 else { return }
        let severity: StoreProblem.Severity =
            [.pending, .damaged, .damaged, .unreadable].randomElement(using: &random) ?? .pending
        var objects: [StoreProblem.Object] = [.store]
        objects += facts.containers.map { .container($0.id) }
        objects += facts.images.map { .image($0.id) }
        objects += facts.volumes.map { .volume($0.name) }
        facts.problems.append(
            StoreProblem(
                severity: severity, object: objects.randomElement(using: &random) ?? .store,
                path: "/p\(clock)", reason: "bad"))
    }

    private mutating func remove(_ store: StoreIdentity) {
        step += "no \(store.root); "
        _ = ledger.remove(store)
        told[store] = nil
    }

    private mutating func member(of store: StoreIdentity) -> String? {
        guard let facts = told[store]?.facts else { return nil }
        let writable = facts.layers.filter { $0.kind == .container }.map(\.id)
        let all = facts.layers.map(\.id) + facts.trees.map(\.id)
        return (Bool.random(using: &random) ? writable : all).randomElement(using: &random)
    }

    private mutating func measure() -> LayerMeasure {
        func one(_ random: inout SeededGenerator) -> Measure {
            Measure(
                diskBytes: Int64.random(in: 0..<2000, using: &random),
                sizeBytes: Int64.random(in: 0..<2000, using: &random), inodes: 1)
        }
        var result = LayerMeasure(total: one(&random))
        if Int.random(in: 0..<40, using: &random) == 0 { result.total.sizeBytes = .max - 5000 }
        guard Int.random(in: 0..<3, using: &random) == 0 else { return result }
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            // Each layer's look has its own opinion of an inode that is being written to.
            let inode = InodeKey(device: 1, inode: UInt64.random(in: 0..<8, using: &random))
            result.linkedOutside[inode] = one(&random)
        }
        return result
    }

    private mutating func record(_ store: StoreIdentity) {
        // Sometimes of a layer that is in no store.
        let id = Int.random(in: 0..<30, using: &random) == 0 ? "nothing" : member(of: store)
        guard let id else { return }
        let known = told[store]?.records[id]
        let measure = Int.random(in: 0..<5, using: &random) == 0 ? known?.measure ?? measure() : measure()
        let confidence: Confidence =
            [
                .exact, .exact, .exact, .exact, .converging, .polling(reason: "r\(clock)", seconds: 5),
                .stale(reason: "r\(clock)"), .damaged(reason: "r\(clock)"),
            ].randomElement(using: &random) ?? .exact
        let record = Record(
            measure: measure, confidence: confidence, watches: Int.random(in: 0..<5, using: &random),
            moment: clock)
        step += "\(id) of \(store.root); "
        recorded.append(LayerKey(store: store, id: id))
        ledger.record(
            LayerKey(store: store, id: id), measure, confidence: confidence, watches: record.watches,
            at: record.moment)
        guard id != "nothing" else { return }
        told[store]?.records[id] = record
    }

    private mutating func fail(_ store: StoreIdentity) {
        guard let id = member(of: store) else { return }
        step += "\(id) of \(store.root) fails; "
        ledger.fail(LayerKey(store: store, id: id), reason: "gone")
        let known = told[store]?.records[id]
        told[store]?.records[id] = Record(
            measure: known?.measure ?? .empty, confidence: .stale(reason: "gone"), watches: 0,
            moment: known?.moment)
    }

    private mutating func changeOverhead(_ store: StoreIdentity) {
        let hasOverhead = told[store]?.facts.overhead != nil
        step += "overhead of \(store.root); "
        if Int.random(in: 0..<4, using: &random) == 0 {
            ledger.failOverhead(of: store, reason: "gone")
            guard hasOverhead else { return }
            let known = told[store]?.overhead
            told[store]?.overhead = (known?.measure, "gone", known?.moment ?? 0)
            return
        }
        var overhead = OverheadMeasure(total: measure())
        for index in 0..<4 where Bool.random(using: &random) {
            overhead.groups["meta/\(index)"] = measure().total
        }
        ledger.record(overhead, of: store, at: clock)
        if hasOverhead { told[store]?.overhead = (overhead, nil, clock) }
    }

    private mutating func changeExtents(_ store: StoreIdentity) {
        step += "extents of \(store.root); "
        let known = told[store]?.extents
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            ledger.expectSharedExtents(of: store)
            if known == nil { told[store]?.extents = (nil, nil, 0) }
        case 1:
            ledger.failSharedExtents(of: store, reason: "gone")
            told[store]?.extents = (known?.extents, "gone", known?.moment ?? 0)
        default:
            var extents = SharedExtents(chargedElsewhere: [:], isComplete: Bool.random(using: &random))
            for _ in 0..<3 {
                guard let id = member(of: store) else { continue }
                extents.chargedElsewhere[LayerKey(store: store, id: id)] = Int64.random(
                    in: 1..<50, using: &random)
            }
            ledger.record(extents, of: store, at: clock)
            told[store]?.extents = (extents, nil, clock)
        }
    }

    private mutating func changeOpenFiles() {
        step += "open files; "
        var report = DeletedOpenReport(
            Int.random(in: 0..<4, using: &random) == 0 ? .unknown(reason: "no") : .complete,
            byLayer: Bool.random(using: &random) ? deletedOpen.byLayer : [:])
        for store in Self.stores {
            guard let id = member(of: store) else { continue }
            var open = DeletedOpen()
            open.add(
                DeletedOpen.File(
                    processID: 1, processes: 1, command: "x", path: "/x",
                    diskBytes: Int64.random(in: 0..<3, using: &random), sizeBytes: 1))
            report.byLayer[LayerKey(store: store, id: id)] = open
        }
        deletedOpen = report
        ledger.record(report)
    }
}
