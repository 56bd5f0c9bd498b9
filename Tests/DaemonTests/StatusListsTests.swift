import Accounting
import Testing
import UsageTestKit
import Wire

@testable import Daemon

@Suite("The lists of a status")
struct StatusListsTests {
    private static func snapshot(_ random: inout SeededGenerator) -> UsageSnapshot {
        var ledger = Ledger()
        for root in ["/a", "/b"] {
            let store = StoreIdentity(engine: "docker", driver: "overlay2", root: root)
            var facts = StoreFacts(store: store)
            for index in 0..<30 {
                facts.layers.append(
                    LayerFact(id: "i\(index)", kind: .image, directory: "\(root)/i\(index)"))
                facts.layers.append(
                    LayerFact(id: "w\(index)", kind: .container, directory: "\(root)/w\(index)"))
                facts.layers.append(
                    LayerFact(id: "o\(index)", kind: .orphan, directory: "\(root)/o\(index)"))
                facts.trees.append(
                    TreeFact(id: "v\(index)", kind: .volume, directory: "\(root)/v\(index)"))
                facts.images.append(ImageFact(id: "image\(index)", layers: ["i\(index)"]))
                facts.containers.append(
                    ContainerFact(id: "c\(index)", name: "c\(index)", layer: "w\(index)", chain: []))
                facts.volumes.append(VolumeFact(name: "v\(index)", tree: "v\(index)", source: ""))
            }
            _ = ledger.update(facts)
            for id in facts.layers.map(\.id) + facts.trees.map(\.id) {
                // Few sizes, so that many are equal.
                let bytes = Int64.random(in: 0...10, using: &random) * 4096
                ledger.record(
                    LayerKey(store: store, id: id),
                    LayerMeasure(total: Measure(diskBytes: bytes, sizeBytes: bytes, inodes: 1)),
                    confidence: .exact)
            }
        }
        return ledger.snapshot()
    }

    @Test("without a number all are listed, with one those that take most, and the rest is counted")
    func top() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let snapshot = Self.snapshot(&random)
        let all = StatusLists(snapshot, top: nil)
        #expect(all.omitted == nil)
        #expect(all.images == Array(snapshot.images))
        #expect(all.containers == Array(snapshot.containers))
        #expect(all.volumes == Array(snapshot.volumes))
        #expect(all.orphans.count == 60)
        for count in [0, 1, 7, 60, 100] {
            let lists = StatusLists(snapshot, top: count)
            let rest = max(0, 60 - count)
            #expect(
                lists.omitted == .init(images: rest, containers: rest, volumes: rest, orphans: rest),
                "seed \(seed)")
            func largest(_ sizes: [Int64]) -> [Int64] { Array(sizes.sorted(by: >).prefix(count)) }
            #expect(
                lists.images.map(\.virtual.diskBytes) == largest(all.images.map(\.virtual.diskBytes)),
                "seed \(seed)")
            #expect(
                lists.containers.map(\.writable.diskBytes)
                    == largest(all.containers.map(\.writable.diskBytes)), "seed \(seed)")
            #expect(
                lists.volumes.map { $0.measure?.diskBytes }
                    == largest(
                        all.volumes.compactMap { $0.measure?.diskBytes }), "seed \(seed)")
            #expect(
                lists.orphans.map(\.charged.diskBytes) == largest(all.orphans.map(\.charged.diskBytes)),
                "seed \(seed)")
            #expect(Set(lists.containers.map(\.key)).count == lists.containers.count, "seed \(seed)")
        }
    }
}
