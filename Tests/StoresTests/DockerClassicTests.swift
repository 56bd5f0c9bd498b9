import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("The store of a Docker engine of 2014")
struct DockerClassicTests {
    final class Sandbox {
        var store: ClassicStoreBuilder

        init() throws {
            store = try ClassicStoreBuilder(
                root: NSTemporaryDirectory() + "usaged-classic-\(UUID().uuidString)")
            let base = try store.build(
                [
                    BuildStep("ADD rootfs", content: LayerContent(files: [.init("bin/sh", size: 70_001)])),
                    BuildStep("CMD sh"),
                ], names: ["base:1", "base:latest"])
            let web = try store.build(
                [BuildStep("RUN install", content: LayerContent(files: [.init("web", size: 999)]))],
                on: base.last, names: ["web:2"])
            guard let image = web.last else { throw SandboxError("no image") }
            try store.addContainer(named: "web-1", on: image, volumes: ["/data", "/log"], isRunning: true)
        }

        deinit {
            try? FileManager.default.removeItem(atPath: store.root)
        }

        func reader(orphanSeconds: Double = 3600) -> DockerClassicReader {
            DockerClassicReader(root: store.root, options: StoreOptions(orphanSeconds: orphanSeconds))
        }
    }

    @Test("a store reads as what was built, each inode in one place, and is not parsed again")
    func readsWhatWasBuilt() throws {
        let sandbox = try Sandbox()
        let reader = sandbox.reader(orphanSeconds: 0)
        let reading = reader.read()
        #expect(reading.facts.inOrder == sandbox.store.facts)
        #expect(StoreConformance.flaws(of: reading.facts) == [])
        let again = reader.read()
        #expect(again.filesRead == 0 && again.facts == reading.facts)
        let opened = Stores.open(StoreLocation(kind: .dockerClassic, path: sandbox.store.root))
        #expect(opened.read().facts == reading.facts)
    }

    @Test("Id, Parent, Size and VirtualSize are those that docker inspect printed in the post")
    func figuresOfThePost() throws {
        let root = NSTemporaryDirectory() + "usaged-classic-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let store = try ClassicStoreBuilder.layersPost(root: root)
        let facts = DockerClassicReader(root: root).read().facts
        #expect(facts.inOrder == store.facts)
        #expect(StoreConformance.flaws(of: facts) == [])

        struct Inspection: Equatable {
            var parent: Substring?
            var size: Int64
            var virtualSize: Int64
        }
        let walk = try StoreWalk(facts)
        func inspect(_ image: ImageFact) -> Inspection {
            let sizes = image.layers.compactMap { walk.sizes[$0] }
            return Inspection(
                parent: image.parent?.prefix(4), size: sizes.last ?? -1, virtualSize: sizes.reduce(0, +))
        }
        let base = try #require(facts.images.first { $0.names == [LayersPost.baseName] })
        let web = try #require(facts.images.first { $0.names == [LayersPost.webName] })
        let line = try #require(facts.images.first { $0.id.hasPrefix("8aaf98371fcb") })
        #expect(inspect(base).size == 0 && inspect(base).virtualSize == 188_304_295)
        #expect(web.id.hasPrefix("5242"))
        #expect(inspect(web) == Inspection(parent: "d374", size: 0, virtualSize: 227_877_825))
        #expect(inspect(line).size == 1615)
        let parent = try #require(facts.images.first { $0.id == web.parent })
        #expect(inspect(parent) == Inspection(parent: "0a5a", size: 0, virtualSize: 227_877_825))
        // Fourth from the bottom of the history, and the base's own steps are below it.
        #expect(web.history.count == 12 && web.history[3].layer == base.id)
        #expect(web.history.compactMap { $0.layer.flatMap { walk.sizes[$0] } }.reduce(0, +) == 227_877_825)
        for image in facts.images {
            #expect(walk.sizes[image.id] == facts.layers.first { $0.id == image.id }?.declaredSizeBytes)
        }
    }

    @Test("what nothing names is an orphan once it is old enough")
    func orphan() throws {
        let sandbox = try Sandbox()
        try FileManager.default.createDirectory(
            atPath: sandbox.store.root + "/aufs/diff/x-removing/usr", withIntermediateDirectories: true)
        let young = sandbox.reader().read()
        #expect(young.facts.layers.first { $0.id == "x-removing" }?.kind == .inFlight)
        #expect(young.readAgainAt != nil)
        let old = sandbox.reader(orphanSeconds: 0).read()
        #expect(old.facts.layers.first { $0.id == "x-removing" }?.kind == .orphan)
        for reading in [young, old] { #expect(StoreConformance.flaws(of: reading.facts) == []) }
    }

    @Test(
        "bad metadata of an image costs that image alone",
        arguments: [
            ("json", ""), ("json", "{\"id\":"), ("json", "nonsense"), ("json", "[]"),
            ("json", "{\"a\":" + String(repeating: "[", count: 100_000)), ("json", "{\"id\":\"other\"}"),
            ("json", "{\"parent\":\"../../etc\"}"), ("layersize", "-1"), ("layersize", "1e99"),
            ("layersize", String(repeating: "9", count: 30)), ("layersize", ""),
        ])
    func damage(file: String, text: String) throws {
        let sandbox = try Sandbox()
        let reader = sandbox.reader()
        _ = reader.read()
        let image = try #require(sandbox.store.images.values.first { $0.names == ["web:2"] })
        let path = "\(sandbox.store.root)/graph/\(image.id)/\(file)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        for facts in [reader.read().facts, sandbox.reader().read().facts] {
            #expect(facts.problems.map(\.object) == [.image(image.id)])
            #expect(facts.images.count == sandbox.store.images.count)
            #expect(facts.layers.map(\.id).sorted() == sandbox.store.facts.layers.map(\.id))
            #expect(StoreConformance.flaws(of: facts) == [])
        }
    }

    @Test("a container whose file is another's is said, and its layer is still counted")
    func anothersFile() throws {
        let sandbox = try Sandbox()
        let id = try #require(sandbox.store.facts.containers.first?.id)
        let other = String(repeating: "0", count: 64)
        let path = "\(sandbox.store.root)/containers/\(id)/config.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data(text.replacingOccurrences(of: id, with: other).utf8).write(to: URL(fileURLWithPath: path))
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.object) == [.container(id)])
        #expect(facts.problems.first?.reason == "it is of container '\(other)'")
        #expect(facts.layers.map(\.id).sorted() == sandbox.store.facts.layers.map(\.id))
    }

    @Test("a container by the id of an image is said, and the layer is counted once")
    func idOfAnImage() throws {
        let sandbox = try Sandbox()
        let image = try #require(sandbox.store.images.values.first { $0.names == ["web:2"] })
        let id = try #require(sandbox.store.facts.containers.first?.id)
        let containers = "\(sandbox.store.root)/containers"
        let text = try String(contentsOfFile: "\(containers)/\(id)/config.json", encoding: .utf8)
        try FileManager.default.createDirectory(
            atPath: "\(containers)/\(image.id)", withIntermediateDirectories: false)
        try Data(text.replacingOccurrences(of: id, with: image.id).utf8)
            .write(to: URL(fileURLWithPath: "\(containers)/\(image.id)/config.json"))
        let facts = sandbox.reader().read().facts
        #expect(
            facts.problems.contains {
                $0.object == .container(image.id) && $0.reason.hasPrefix("two objects have the id ")
            })
        #expect(facts.layers.map(\.id).sorted() == sandbox.store.facts.layers.map(\.id))
    }

    @Test("parents in a circle are damaged and hang nothing")
    func ring() throws {
        let sandbox = try Sandbox()
        let base = try #require(sandbox.store.images.values.first { $0.names.contains("base:1") })
        let lowest = try #require(base.layers.first)
        let path = "\(sandbox.store.root)/graph/\(lowest)/json"
        try Data(#"{"id":"\#(lowest)","parent":"\#(base.id)"}"#.utf8).write(to: URL(fileURLWithPath: path))
        let facts = sandbox.reader().read().facts
        #expect(Set(facts.problems.map(\.object)).isSuperset(of: [.image(lowest), .image(base.id)]))
        #expect(facts.problems.allSatisfy { $0.severity == .damaged })
        #expect(facts.layers.count == sandbox.store.layers.count)
    }

    @Test("a root that does not exist is unreadable, and one whose layers are not mounted")
    func absence() throws {
        let missing = DockerClassicReader(root: "/nonexistent/docker").read()
        #expect(missing.facts.problems.map(\.severity) == [.unreadable])
        let sandbox = try Sandbox()
        try FileManager.default.removeItem(atPath: sandbox.store.root + "/aufs")
        #expect(sandbox.reader().read().facts.problems.map(\.severity) == [.unreadable])
    }
}
