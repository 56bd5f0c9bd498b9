import Accounting
import Testing

@Suite("The image forest")
struct ImageForestTests {
    let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/store")

    private func forest(_ images: [ImageFact]) -> ImageForest {
        var ledger = Ledger()
        let layers = Set(images.flatMap(\.layers)).sorted()
        _ = ledger.update(
            StoreFacts(
                store: store,
                layers: layers.map { LayerFact(id: $0, kind: .image, directory: "/store/\($0)") },
                images: images))
        for id in layers {
            let total = Measure(diskBytes: 10, sizeBytes: 10, inodes: 1)
            ledger.record(LayerKey(store: store, id: id), LayerMeasure(total: total), confidence: .exact)
        }
        return ImageForest(ledger.snapshot())
    }

    /// One line for each node, indented by depth: its name, own and virtual size.
    private func outline(_ nodes: [ImageForest.Node], _ indent: String = "") -> [String] {
        nodes.flatMap { node -> [String] in
            let name =
                switch node.content {
                case .image(let image): image.fact.id
                case .layers(_, let id): "<\(id)>"
                }
            return ["\(indent)\(name) \(node.own.sizeBytes) \(node.virtual.sizeBytes)"]
                + outline(node.children, indent + " ")
        }
    }

    @Test("an image stands below its parent, with what it adds and the sum up to it")
    func parents() {
        let forest = forest([
            ImageFact(id: "base", layers: ["a"]),
            ImageFact(id: "run", parent: "base", layers: ["a", "b"]),
            ImageFact(id: "cmd", names: ["web:latest"], parent: "run", layers: ["a", "b"]),
        ])
        #expect(outline(forest.roots) == ["base 10 10", " run 10 20", "  cmd 0 20"])
    }

    @Test("without a known parent the longest prefix of layers decides")
    func prefix() {
        let forest = forest([
            ImageFact(id: "base", names: ["base:1"], layers: ["a"]),
            ImageFact(id: "mid", names: ["mid:1"], layers: ["a", "b"]),
            ImageFact(id: "top", names: ["top:1"], layers: ["a", "b", "c", "d"]),
        ])
        #expect(outline(forest.roots) == ["base 10 10", " mid 10 20", "  top 20 40"])
    }

    @Test("a prefix that no image stands for is drawn once, as layers")
    func sharedPrefix() {
        let forest = forest([
            ImageFact(id: "one", names: ["one:1"], layers: ["a", "b", "c"]),
            ImageFact(id: "two", names: ["two:1"], layers: ["a", "b", "d"]),
            ImageFact(id: "three", names: ["z:1"], layers: ["e"]),
        ])
        #expect(outline(forest.roots) == ["<b> 20 20", " one 10 30", " two 10 30", "three 10 10"])
    }

    @Test("parents that lead in a circle lose no image and end")
    func cycle() {
        let forest = forest([
            ImageFact(id: "x", parent: "y", layers: ["a"]),
            ImageFact(id: "y", parent: "x", layers: ["b"]),
            ImageFact(id: "self", parent: "self", layers: ["c"]),
        ])
        #expect(outline(forest.roots).count == 3)
    }

    @Test("ten thousand images, each on the one before, stand in the tree once each, at a bounded depth")
    func deepChain() {
        let images = (0..<10_000).map { index in
            ImageFact(
                id: "\(index)", parent: index == 0 ? nil : "\(index - 1)", layers: ["a"])
        }
        var count = 0
        var deepest = 0
        var level = forest(images).roots
        while !level.isEmpty {
            count += level.count
            deepest += 1
            level = level.flatMap(\.children)
        }
        #expect(count == 10_000)
        #expect(deepest < 1000)
    }

    @Test("images in a ring that parents and layers make together are in the tree all the same")
    func mixedRing() {
        // "low" stands on "high" by its parent, "high" on "low" by its layers.
        let forest = forest([
            ImageFact(id: "low", parent: "high", layers: ["a"]),
            ImageFact(id: "high", layers: ["a", "b"]),
        ])
        let ids = outline(forest.roots).map { $0.split(separator: " ")[0] }
        #expect(Set(ids) == ["low", "high"])
        #expect(ids.count == 2)
    }
}
