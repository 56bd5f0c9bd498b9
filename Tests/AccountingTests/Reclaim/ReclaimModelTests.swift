import Accounting
import Testing
import UsageTestKit

@Suite("What would come free, against an engine that removes it")
struct ReclaimModelTests {
    @Test("for random hosts and random sets, the plan's bytes are those that an engine's removal gives back")
    func random() async throws {
        try await onThread {
            var exact = 0
            var doubtful = 0
            for seed in 0..<600 as Range<UInt64> {
                var generator = SeededGenerator(seed: seed)
                var engine = ModelEngine(using: &generator)
                let snapshot = engine.snapshot()
                let targets = engine.randomTargets(using: &generator)
                let plan = ReclaimPlan(targets, of: snapshot)
                let freed = engine.freed(by: { $0.remove(targets) })
                try #require(plan.isRight(freed), "seed \(seed): \(plan.total.diskBytes) and \(freed)")
                #expect(
                    plan.pieces.map(\.diskBytes).reduce(0, +) == plan.total.diskBytes, "seed \(seed)")
                if plan.doubts.isEmpty { exact += 1 } else { doubtful += 1 }
            }
            #expect(exact > 100 && doubtful > 10, "\(exact) and \(doubtful): the hosts are too much alike")
        }
    }

    @Test("all that nothing uses is images and volumes without a container, unused build cache and orphans")
    func unused() async throws {
        try await onThread {
            for seed in 0..<200 as Range<UInt64> {
                var generator = SeededGenerator(seed: seed)
                var engine = ModelEngine(using: &generator)
                let snapshot = engine.snapshot()
                let plan = ReclaimPlan(ReclaimTarget.unused(snapshot), of: snapshot)
                let freed = engine.freed(by: { $0.prune() })
                #expect(plan.isRight(freed), "seed \(seed)")
            }
        }
    }
}

extension ReclaimPlan {
    /// Whether it foretold what came free; with doubts, at least that.
    fileprivate func isRight(_ freed: Int64) -> Bool {
        doubts.isEmpty ? total.diskBytes == freed : total.diskBytes >= freed
    }
}

/// An engine that counts references and deletes what has none, and the inodes that its directories hold.
private struct ModelEngine {
    static let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/s")

    private struct Image {
        var names: [String]
        var parent: Int?
        var chain: [Int]
    }

    private struct Container {
        var image: Int
        /// Removed by force before: the container holds what the image was made of.
        var chain: [Int]
        var layer: Int
        var volumes: Set<Int>
    }

    private var inodes: [Int: Int64] = [:]
    /// Of which someone outside of the store has a name.
    private var outside: Set<Int> = []
    /// The inodes of each directory: layers, volumes and groups of metadata.
    private var layers: [Int: (parent: Int?, kind: LayerFact.Kind, inodes: Set<Int>)] = [:]
    /// Layers of images that a record of the cache of builds holds as well.
    private var cached: Set<Int> = []
    private var images: [Int: Image] = [:]
    private var containers: [Int: Container] = [:]
    private var volumes: [Int: Set<Int>] = [:]
    private var logs: [Int: Set<Int>] = [:]
    private var metadata: [String: Int64] = [:]

    init(using generator: inout SeededGenerator) {
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }
        var next = 0
        func files(shared: Bool) -> Set<Int> {
            var files: Set<Int> = []
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                if shared, let known = inodes.keys.sorted().randomElement(using: &generator), chance(30) {
                    files.insert(known)
                } else {
                    next += 1
                    inodes[next] = Int64.random(in: 1...100, using: &generator) * 4096
                    if chance(3) { outside.insert(next) }
                    files.insert(next)
                }
            }
            return files
        }
        func layer(on parent: Int?, _ kind: LayerFact.Kind) -> Int {
            let id = layers.count
            layers[id] = (parent, kind, files(shared: true))
            metadata["layers/\(id)"] = 4096
            return id
        }
        for id in 0..<Int.random(in: 1...8, using: &generator) {
            let base = images.keys.sorted().randomElement(using: &generator).flatMap { chance(70) ? $0 : nil }
            var chain = base.flatMap { images[$0]?.chain } ?? []
            for _ in 0..<Int.random(in: chain.isEmpty ? 1...3 : 0...2, using: &generator) {
                chain.append(layer(on: chain.last, .image))
                if chance(15), let top = chain.last { cached.insert(top) }
            }
            images[id] = Image(
                names: chance(70) ? ["n\(id)"] : [], parent: chance(50) ? base : nil, chain: chain)
            metadata["images/\(id)"] = 8192
        }
        for id in 0..<Int.random(in: 0...3, using: &generator) { volumes[id] = files(shared: true) }
        for id in 0..<Int.random(in: 0...4, using: &generator) {
            guard let image = images.keys.sorted().randomElement(using: &generator) else { continue }
            let chain = images[image]?.chain ?? []
            containers[id] = Container(
                image: image, chain: chain, layer: layer(on: chain.last, .container),
                volumes: volumes.keys.filter { $0 % 2 == id % 2 && chance(60) }.reduce(into: []) {
                    $0.insert($1)
                })
            logs[id] = files(shared: false)
            metadata["containers/\(id)"] = 12288
        }
        for kind in [LayerFact.Kind.orphan, .buildCache] where chance(60) {
            _ = layer(
                on: layers.keys.sorted().randomElement(using: &generator).flatMap { chance(50) ? $0 : nil },
                kind)
        }
    }

    // MARK: What the books know of it

    func snapshot() -> UsageSnapshot {
        var facts = StoreFacts(store: Self.store)
        facts.layers = layers.sorted { $0.key < $1.key }.map { id, layer in
            LayerFact(
                id: "l\(id)", kind: layer.kind, parent: layer.parent.map { "l\($0)" }, directory: "/s/l\(id)",
                isWritable: layer.kind == .container, isCached: cached.contains(id),
                metadata: ["layers/\(id)"])
        }
        facts.images = images.sorted { $0.key < $1.key }.map { id, image in
            ImageFact(
                id: "i\(id)", names: image.names, parent: image.parent.map { "i\($0)" },
                layers: image.chain.map { "l\($0)" }, metadata: ["images/\(id)"])
        }
        facts.containers = containers.sorted { $0.key < $1.key }.map { id, container in
            ContainerFact(
                id: "c\(id)", name: "c\(id)", imageID: "i\(container.image)", layer: "l\(container.layer)",
                chain: container.chain.map { "l\($0)" },
                mounts: container.volumes.map {
                    MountFact(kind: .volume, name: "v\($0)", source: "", destination: "")
                }, trees: ["log\(id)"], metadata: ["containers/\(id)"])
        }
        facts.volumes = volumes.keys.map { VolumeFact(name: "v\($0)", tree: "vol\($0)", source: "") }
        facts.trees =
            volumes.keys.map { TreeFact(id: "vol\($0)", kind: .volume, directory: "/s/v\($0)") }
            + logs.keys.map { TreeFact(id: "log\($0)", kind: .log, directory: "/s/g\($0)") }
        facts.overhead = OverheadFact(directory: "/s", groups: ["layers/*", "images/*", "containers/*"])
        var ledger = Ledger()
        _ = ledger.update(facts)
        var names: [Int: Int] = [:]
        for directory in directories { for inode in directory.inodes { names[inode, default: 0] += 1 } }
        for directory in directories {
            let linked = directory.inodes.filter { names[$0, default: 0] > 1 || outside.contains($0) }
            ledger.record(
                LayerKey(store: Self.store, id: directory.id),
                LayerMeasure(
                    total: measure(directory.inodes),
                    linkedOutside: Dictionary(
                        uniqueKeysWithValues: linked.map {
                            (InodeKey(device: 1, inode: UInt64($0)), measure([$0]))
                        })), confidence: .exact)
        }
        ledger.record(
            OverheadMeasure(
                total: LayerMeasure(total: .zero),
                groups: metadata.mapValues { Measure(diskBytes: $0, sizeBytes: 0, inodes: 1) }),
            of: Self.store, at: 1)
        return ledger.snapshot()
    }

    private var directories: [(id: String, inodes: Set<Int>)] {
        layers.map { ("l\($0.key)", $0.value.inodes) } + volumes.map { ("vol\($0.key)", $0.value) }
            + logs.map { ("log\($0.key)", $0.value) }
    }

    private func measure(_ files: Set<Int>) -> Measure {
        files.map { Measure(diskBytes: inodes[$0] ?? 0, sizeBytes: 1, inodes: 1) }.sum()
    }

    mutating func freed(by body: (inout ModelEngine) -> Void) -> Int64 {
        let before = usedBytes
        body(&self)
        return before - usedBytes
    }

    /// What `du` says: each inode once as long as it has a name.
    var usedBytes: Int64 {
        var kept = outside
        for directory in directories { kept.formUnion(directory.inodes) }
        return measure(kept).diskBytes + metadata.values.reduce(0, +)
    }

    // MARK: Removal

    func randomTargets(using generator: inout SeededGenerator) -> [ReclaimTarget] {
        var objects: [ReclaimTarget.Object] = []
        func some(_ of: [ReclaimTarget.Object]) {
            for object in of where Int.random(in: 0..<2, using: &generator) == 0 { objects.append(object) }
        }
        some(images.keys.sorted().map { .image(id: "i\($0)") })
        some(containers.keys.sorted().map { .container(id: "c\($0)") })
        some(volumes.keys.sorted().map { .volume(name: "v\($0)") })
        some((loose + cached.sorted()).map { .layer(id: "l\($0)") })
        return objects.map { ReclaimTarget(store: Self.store, $0) }
    }

    private var loose: [Int] {
        layers.filter { $0.value.kind == .orphan || $0.value.kind == .buildCache }.keys.sorted()
    }

    mutating func prune() {
        let used = Set(containers.values.map(\.image))
        let mounted = Set(containers.values.flatMap(\.volumes))
        var objects: [ReclaimTarget.Object] = (loose + cached).map { .layer(id: "l\($0)") }
        objects += images.keys.filter { !used.contains($0) }.map { .image(id: "i\($0)") }
        objects += volumes.keys.filter { !mounted.contains($0) }.map { .volume(name: "v\($0)") }
        remove(objects.map { ReclaimTarget(store: Self.store, $0) })
    }

    mutating func remove(_ targets: [ReclaimTarget]) {
        var wanted: Set<Int> = []
        var released: Set<Int> = []
        var volumesToGo: Set<Int> = []
        var looseToGo: Set<Int> = []
        for target in targets {
            switch target.object {
            case .container(let id):
                guard let number = Int(id.dropFirst()), let container = containers.removeValue(forKey: number)
                else { continue }
                released.insert(container.layer)
                logs[number] = nil
                metadata["containers/\(number)"] = nil
            case .image(let id): wanted.insert(Int(id.dropFirst()) ?? -1)
            case .volume(let name): volumesToGo.insert(Int(name.dropFirst()) ?? -1)
            case .layer(let id):
                let number = Int(id.dropFirst()) ?? -1
                looseToGo.insert(number)
                cached.remove(number)
            }
        }
        // These go alone, and those that lie on others first.
        while let layer = looseToGo.first(where: { !isReferenced($0) }) {
            drop(layer)
            looseToGo.remove(layer)
        }
        let mounted = Set(containers.values.flatMap(\.volumes))
        for volume in volumesToGo where !mounted.contains(volume) { volumes[volume] = nil }
        var isChanged = true
        while isChanged {
            isChanged = false
            for id in wanted.sorted() where remove(image: id, &released) { isChanged = true }
        }
        // From the top down, until one is still referred to.
        while let layer = released.popFirst() {
            guard layers[layer] != nil, !isReferenced(layer) else { continue }
            if let parent = drop(layer) { released.insert(parent) }
        }
    }

    /// Removes a layer; returns the one it lay on.
    @discardableResult
    private mutating func drop(_ layer: Int) -> Int? {
        metadata["layers/\(layer)"] = nil
        return layers.removeValue(forKey: layer)?.parent
    }

    private func isReferenced(_ layer: Int) -> Bool {
        cached.contains(layer) || images.values.contains { $0.chain.contains(layer) }
            || containers.values.contains { $0.layer == layer || $0.chain.contains(layer) }
            || layers.values.contains { $0.parent == layer }
    }

    private mutating func remove(image id: Int, _ released: inout Set<Int>) -> Bool {
        guard let image = images[id], !containers.values.contains(where: { $0.image == id }),
            !images.values.contains(where: { $0.parent == id })
        else { return false }
        images[id] = nil
        metadata["images/\(id)"] = nil
        if let top = image.chain.last { released.insert(top) }
        if let parent = image.parent, images[parent]?.names.isEmpty == true {
            _ = remove(image: parent, &released)
        }
        return true
    }
}
