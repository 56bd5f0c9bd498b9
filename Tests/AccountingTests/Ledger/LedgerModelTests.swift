import Accounting
import Testing
import UsageTestKit

/// Random stores, measured at random, against sums made from scratch in the plainest way.
@Suite("The ledger against a model")
struct LedgerModelTests {
    @Test(
        "whatever changes, every sum equals the one over distinct inodes", arguments: 0..<20 as Range<UInt64>)
    func randomStores(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/store")
        var ledger = Ledger()
        // The truth: for each layer its inodes, some of which several layers hold.
        var inodes: [String: [UInt64: Int64]] = [:]
        var facts = StoreFacts(store: store)

        for step in 0..<200 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let id = "layer\(step)"
                let isContainer = Bool.random(using: &random)
                let parent = facts.layers.filter { $0.kind == .image }.randomElement(using: &random)?.id
                facts.layers.append(
                    LayerFact(
                        id: id, kind: isContainer ? .container : .image, parent: parent,
                        directory: "/store/\(id)"))
                inodes[id] = [:]
                let chain = Self.chain(to: parent, facts)
                if isContainer {
                    facts.containers.append(
                        ContainerFact(id: "c\(step)", name: "c\(step)", layer: id, chain: chain))
                } else {
                    facts.images.append(ImageFact(id: "i\(step)", names: ["i\(step)"], layers: chain + [id]))
                }
                _ = ledger.update(facts)
            case 1:
                guard
                    let victim = facts.layers.filter({ $0.kind == .container }).randomElement(using: &random)
                else {
                    continue
                }
                facts.layers.removeAll { $0.id == victim.id }
                facts.containers.removeAll { $0.layer == victim.id }
                inodes[victim.id] = nil
                _ = ledger.update(facts)
            default:
                guard let layer = facts.layers.randomElement(using: &random) else { continue }
                // Few inode numbers below 20, so that layers come to share them; each has one size everywhere.
                let inode = UInt64.random(in: 0..<60, using: &random)
                inodes[layer.id, default: [:]][inode] = Int64(inode) * 512
            }
            // All are measured again: an inode shared by a new name changes what each layer's look sees.
            for layer in facts.layers {
                ledger.record(
                    LayerKey(store: store, id: layer.id), Self.look(inodes[layer.id] ?? [:]),
                    confidence: .exact)
            }
            let snapshot = ledger.snapshot()
            let distinct = Set(inodes.values.flatMap(\.keys)).reduce(Int64(0)) { $0 + Int64($1) * 512 }
            let totals = snapshot.totals
            try #require(
                totals.imageLayers.measure.diskBytes + totals.containers.measure.diskBytes == distinct,
                "seed \(seed), step \(step)")
            for image in snapshot.images {
                let chain = Set(image.fact.layers.flatMap { inodes[$0, default: [:]].keys })
                try #require(
                    image.virtual.diskBytes == chain.reduce(Int64(0)) { $0 + Int64($1) * 512 },
                    "seed \(seed), step \(step)")
                try #require(image.shared + image.unique == image.virtual)
            }
        }
    }

    private static func chain(to layer: String?, _ facts: StoreFacts) -> [String] {
        var chain: [String] = []
        var next = layer
        while let id = next {
            chain.insert(id, at: 0)
            next = facts.layers.first { $0.id == id }?.parent
        }
        return chain
    }

    /// What a scan of these inodes reports, numbers below 20 having names in several layers.
    private static func look(_ inodes: [UInt64: Int64]) -> LayerMeasure {
        var measure = LayerMeasure.empty
        for (inode, bytes) in inodes {
            let one = Measure(diskBytes: bytes, sizeBytes: bytes, inodes: 1)
            measure.total += one
            measure.linkedOutside[InodeKey(device: 1, inode: inode)] = one
        }
        return measure
    }
}
