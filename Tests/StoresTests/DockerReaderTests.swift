import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("Docker's overlay2 store")
struct DockerReaderTests {
    @Test("a store reads as what was built")
    func readsWhatWasBuilt() throws {
        let sandbox = try StoreSandbox.small()
        let reading = sandbox.reader().read()
        #expect(reading.facts.inOrder == sandbox.store.facts)
        for layer in reading.facts.layers {
            #expect(FileManager.default.fileExists(atPath: layer.directory))
        }
    }

    @Test("the steps of a history have the layers they made, and empty steps have none")
    func mapsHistory() throws {
        let sandbox = try StoreSandbox.small()
        let facts = sandbox.reader().read().facts
        let web = try #require(facts.images.first { $0.names == ["registry:5000/team/web:2"] })
        #expect(
            web.history.map(\.instruction) == [
                "ADD rootfs", "CMD sh", "COPY site", "EXPOSE 80", "RUN install",
            ])
        #expect(web.history.map(\.layer) == [web.layers[0], nil, web.layers[1], nil, web.layers[2]])
        #expect(web.history.last?.comment == "by hand")
    }

    @Test("names by digest are no names", arguments: ["base@sha256:" + String(repeating: "a", count: 64)])
    func leavesDigestsOut(reference: String) throws {
        let sandbox = try StoreSandbox.small()
        let id = try sandbox.image("base:1").id
        try sandbox.write(
            #"{"Repositories":{"base":{"base:1":"sha256:\#(id)","\#(reference)":"sha256:\#(id)"}}}"#,
            to: sandbox.metadata + "/repositories.json")
        let facts = sandbox.reader().read().facts
        #expect(facts.images.first { $0.id == id }?.names == ["base:1"])
        #expect(facts.problems.isEmpty)
    }

    @Test("the same difference on two parents is two layers")
    func separatesEqualDifferences() throws {
        let sandbox = try StoreSandbox()
        let content = LayerContent(files: [.init("a", size: 10)])
        let one = try sandbox.store.addLayer(content)
        let other = try sandbox.store.addLayer(content)
        let onOne = try sandbox.store.addLayer(content, on: one.id)
        let onOther = try sandbox.store.addLayer(content, on: other.id)
        let diffID = try #require(onOne.diffID)
        try sandbox.write("sha256:\(diffID)", to: "\(sandbox.metadata)/layerdb/sha256/\(onOther.id)/diff")
        let config = """
            {"rootfs":{"type":"layers","diff_ids":["sha256:\(other.diffID ?? "")","sha256:\(diffID)"]}}
            """
        let id = String(repeating: "ab", count: 32)
        try sandbox.write(config, to: "\(sandbox.metadata)/imagedb/content/sha256/\(id)")
        let image = try #require(sandbox.reader().read().facts.images.first { $0.id == id })
        #expect(image.layers == [other.id, onOther.id])
    }

    @Test("a layer that BuildKit made is found by its own kind of directory name")
    func readsBuildKitLayers() throws {
        let sandbox = try StoreSandbox()
        let layer = try sandbox.store.addLayer(
            LayerContent(files: [.init("a", size: 10)]), directoryID: "k4x0q1zv9m2c7b3n5d8f6g0hj")
        let facts = sandbox.reader().read().facts
        #expect(facts.layers == [layer])
        #expect(layer.directory.hasSuffix("/overlay2/k4x0q1zv9m2c7b3n5d8f6g0hj/diff"))
    }

    @Test("the writable layer of a build step is build cache")
    func countsBuildSteps() throws {
        let sandbox = try StoreSandbox.small()
        let name = "0123456789abcdefghijklmno"
        let mount = "\(sandbox.metadata)/layerdb/mounts/\(name)"
        try sandbox.makeDirectory(mount)
        try sandbox.makeDirectory("\(sandbox.root)/overlay2/step1/diff")
        try sandbox.write("step1", to: mount + "/mount-id")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.isEmpty)
        #expect(facts.layers.first { $0.id == "step1" }?.kind == .buildCache)
        #expect(facts.containers.count == 1)
    }

    @Test("what is being made or removed is left out")
    func skipsTransactions() throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1").id
        for path in [
            "layerdb/sha256/\(layer)-12345-removing", "layerdb/tmp/write-set-9", "layerdb/sha256/README",
        ] {
            try sandbox.makeDirectory("\(sandbox.metadata)/\(path)")
        }
        for path in ["imagedb/content/sha256/.tmp-123", ".tmp-repositories.json9"] {
            try sandbox.write("{", to: "\(sandbox.metadata)/\(path)")
        }
        #expect(sandbox.reader().read().facts.inOrder == sandbox.store.facts)
    }

    @Test("a data root behind a symbolic link has one identity")
    func resolvesLinks() throws {
        let sandbox = try StoreSandbox.small()
        let link = sandbox.root + "-link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: sandbox.root)
        defer { try? FileManager.default.removeItem(atPath: link) }
        let reader = DockerReader(root: link)
        #expect(reader.identity == sandbox.reader().identity)
        #expect(reader.read().facts.inOrder == sandbox.store.facts)
    }

    @Test("a container keeps its chain when its image is gone")
    func keepsChainOfRemovedImage() throws {
        let sandbox = try StoreSandbox.small()
        let container = try sandbox.container()
        try sandbox.remove("\(sandbox.metadata)/imagedb/content/sha256/\(container.imageID)")
        try sandbox.write("{\"Repositories\":{}}", to: sandbox.metadata + "/repositories.json")
        let facts = sandbox.reader().read().facts
        #expect(facts.containers == [container])
        #expect(facts.layers.count == sandbox.store.layers.count)
    }

    @Test("every directory to watch exists and covers each object")
    func watchesObjects() throws {
        let sandbox = try StoreSandbox.small()
        let directories = sandbox.reader().read().directories
        let root = sandbox.reader().identity.root
        let metadata = root + "/image/overlay2"
        let container = try sandbox.container().id
        let child = try sandbox.image("registry:5000/team/web:2").id
        for path in [
            root, metadata, "\(metadata)/layerdb/sha256", "\(metadata)/layerdb/mounts",
            "\(metadata)/layerdb/mounts/\(container)", "\(metadata)/imagedb/content/sha256",
            "\(metadata)/imagedb/metadata/sha256", "\(metadata)/imagedb/metadata/sha256/\(child)",
            "\(root)/containers", "\(root)/containers/\(container)",
        ] {
            #expect(directories.contains(path))
        }
        #expect(Set(directories).count == directories.count)
        for path in directories {
            var isDirectory: ObjCBool = false
            #expect(FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory))
            #expect(isDirectory.boolValue)
        }
    }

    @Test("what an engine with mapped user ids keeps below the data root is that store's alone")
    func mappedStoreBelow() async throws {
        let sandbox = try StoreSandbox.small()
        var inner = try DockerStoreBuilder(root: sandbox.root + "/231072.231072", seed: 4)
        try inner.build(
            [BuildStep("ADD x", content: LayerContent(files: [.init("x", size: 200_000)]))], names: ["x:1"])
        // A directory of such a name in which no engine works is whatever else is there.
        try sandbox.makeDirectory(sandbox.root + "/7.7/left")
        let outer = try StoreWalk(sandbox.reader().read().facts)
        let below = try StoreWalk(DockerReader(root: inner.root).read().facts)
        try await DiskUsage.sync(sandbox.root)
        #expect(outer.total + below.total == (try await DiskUsage.du(sandbox.root)))
        #expect(below.total > 200_000)
    }
}
