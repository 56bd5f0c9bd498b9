import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("Damage in layers and containers of Docker's store")
struct DockerLayerDamageTests {
    @Test(
        "a size that is no number of bytes makes the layer damaged at once",
        arguments: ["99999999999999999999", "-5", "+5", "12x", "1e3", "0x10", "1 2", "\u{661}"])
    func absurdSize(text: String) throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        try sandbox.write(text, to: "\(sandbox.metadata)/layerdb/sha256/\(layer.id)/size")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.severity) == [.damaged])
        #expect(facts.problems.first?.object == .layer(layer.id))
        #expect(facts.problems.first?.path.hasSuffix("/\(layer.id)/size") == true)
        var expected = layer
        expected.declaredSizeBytes = nil
        #expect(facts.layers.contains(expected))
        #expect(facts.layers.count == sandbox.store.layers.count)
    }

    @Test(
        "white space around a size is no harm",
        arguments: ["70001", "70001\n", " 70001 \r\n", "9223372036854775807"])
    func sizeWithNewline(text: String) throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        try sandbox.write(text, to: "\(sandbox.metadata)/layerdb/sha256/\(layer.id)/size")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.isEmpty)
        let size = Int64(text.trimmingCharacters(in: .whitespacesAndNewlines))
        #expect(facts.layers.first { $0.id == layer.id }?.declaredSizeBytes == size)
    }

    @Test(
        "an empty or missing file of a layer is pending", arguments: ["size", "diff", "cache-id"],
        [true, false])
    func halfWritten(file: String, isEmpty: Bool) throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        let path = "\(sandbox.metadata)/layerdb/sha256/\(layer.id)/\(file)"
        if isEmpty { try sandbox.write("", to: path) } else { try sandbox.remove(path) }
        let facts = sandbox.reader().read().facts
        let problem = try #require(facts.problems.first { $0.object == .layer(layer.id) })
        #expect(problem.severity == .pending)
        #expect(problem.path.hasSuffix("/\(file)"))
        #expect(facts.problems.allSatisfy { $0.severity == .pending })
        #expect(facts.images.count == sandbox.store.images.count)
        // Its directory is somebody's, and nobody knows whose.
        let unnamed = file == "cache-id" ? 1 : 0
        #expect(facts.layers.count { $0.kind != .inFlight } == sandbox.store.layers.count - unnamed)
        #expect(facts.layers.count { $0.kind == .inFlight } == unnamed)
    }

    @Test(
        "an id that could lead out of the driver's directory is refused",
        arguments: [
            "../../../etc", "..", ".", "a/b", "/etc", "A", "a b", "a\u{0}b",
            String(repeating: "a", count: 129),
        ])
    func escapingID(text: String) throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        let container = try sandbox.container()
        try sandbox.write(text, to: "\(sandbox.metadata)/layerdb/sha256/\(layer.id)/cache-id")
        for file in ["mount-id", "init-id"] {
            try sandbox.write(text, to: "\(sandbox.metadata)/layerdb/mounts/\(container.id)/\(file)")
        }
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.contains { $0.object == .layer(layer.id) && $0.severity == .damaged })
        #expect(facts.problems.contains { $0.object == .container(container.id) && $0.severity == .damaged })
        let prefix = sandbox.reader().identity.root + "/overlay2/"
        #expect(facts.layers.allSatisfy { $0.directory.hasPrefix(prefix) && !$0.directory.contains("..") })
        #expect(facts.layers.count { $0.kind != .inFlight } == sandbox.store.layers.count - 3)
        #expect(facts.layers.count { $0.kind == .inFlight } == 3)
    }

    @Test("parents in a circle are damaged and hang nothing")
    func cyclicParents() throws {
        let sandbox = try StoreSandbox.small()
        let chain = try sandbox.image("registry:5000/team/web:2").layers
        let layers = "\(sandbox.metadata)/layerdb/sha256"
        try sandbox.write("sha256:\(chain[2])", to: "\(layers)/\(chain[0])/parent")
        let facts = sandbox.reader().read().facts
        for id in chain {
            #expect(facts.problems.contains { $0.object == .layer(id) && $0.severity == .damaged })
            #expect(facts.layers.first { $0.id == id }?.parent == nil)
        }
        let container = try sandbox.container().id
        #expect(facts.problems.contains { $0.object == .container(container) && $0.severity == .damaged })
        #expect(facts.layers.count == sandbox.store.layers.count)
        let found = try #require(facts.containers.first)
        #expect(found.chain.count == 3)
    }

    @Test("a container's layer that is named as a layer of an image is left out, with the reason")
    func idOfAnother() throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        let container = try sandbox.container()
        try sandbox.makeDirectory("\(sandbox.root)/overlay2/\(layer.id)/diff")
        try sandbox.write(layer.id, to: "\(sandbox.metadata)/layerdb/mounts/\(container.id)/mount-id")
        let facts = sandbox.reader().read().facts
        let problem = try #require(facts.problems.first { $0.object == .container(container.id) })
        #expect(problem.severity == .damaged)
        #expect(problem.reason == "two layers have the id \(layer.id.prefix(12))")
        #expect(facts.layers.filter { $0.id == layer.id } == [layer])
    }

    @Test(
        "of an image of more layers than there can be, the lowest are told and the rest is said to be missing"
    )
    func tooManyLayers() throws {
        let sandbox = try StoreSandbox()
        let limit = 1024
        var chain: [String] = []
        for _ in 0...limit {
            chain.append(try sandbox.store.addLayer(LayerContent(files: []), on: chain.last).id)
        }
        let fits = try sandbox.store.addImage(
            names: ["fits:1"], layers: Array(chain.prefix(limit)), history: [])
        let high = try sandbox.store.addImage(names: ["high:1"], layers: chain, history: [])
        let facts = sandbox.reader().read().facts
        #expect(facts.layers.count == chain.count)
        #expect(facts.images.first { $0.id == fits.id }?.layers == fits.layers)
        #expect(facts.images.first { $0.id == high.id }?.layers == fits.layers)
        #expect(facts.problems.map(\.object) == [.image(high.id)])
        #expect(facts.problems.map(\.reason) == ["it has more than \(limit) layers"])
    }

    @Test("a layer that is its own parent is damaged")
    func ownParent() throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        try sandbox.write("sha256:\(layer.id)", to: "\(sandbox.metadata)/layerdb/sha256/\(layer.id)/parent")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.contains { $0.object == .layer(layer.id) && $0.reason.contains("circle") })
    }

    @Test("a layer without its directory is pending, and so are the images on it")
    func missingDirectory() throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        try sandbox.remove(layer.directory)
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.allSatisfy { $0.severity == .pending })
        #expect(facts.problems.contains { $0.object == .layer(layer.id) })
        #expect(facts.problems.filter { if case .image = $0.object { true } else { false } }.count == 5)
        let container = try sandbox.container()
        #expect(facts.problems.contains { $0.object == .container(container.id) })
        #expect(!facts.layers.contains { $0.id == layer.id })
        #expect(facts.layers.count == sandbox.store.layers.count - 1)
    }

    @Test("a symbolic link in place of a layer's directory is not followed")
    func linkedDirectory() throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        try sandbox.remove(layer.directory)
        try FileManager.default.createSymbolicLink(atPath: layer.directory, withDestinationPath: "/etc")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.contains { $0.object == .layer(layer.id) && $0.severity == .damaged })
        #expect(!facts.layers.contains { $0.id == layer.id })
    }

    @Test("a directory that two layers name is charged once")
    func sharedDirectory() throws {
        let sandbox = try StoreSandbox.small()
        let chain = try sandbox.image("registry:5000/team/web:2").layers
        let layers = "\(sandbox.metadata)/layerdb/sha256"
        let cacheID = try String(contentsOfFile: "\(layers)/\(chain[0])/cache-id", encoding: .utf8)
        try sandbox.write(cacheID, to: "\(layers)/\(chain[1])/cache-id")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.contains { $0.severity == .damaged && $0.reason.contains("two layers") })
        #expect(Set(facts.layers.map(\.directory)).count == facts.layers.count)
    }

    @Test("a FIFO in place of a metadata file does not block")
    func fifo() throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        let path = "\(sandbox.metadata)/layerdb/sha256/\(layer.id)/size"
        try sandbox.remove(path)
        #expect(mkfifo(path, 0o600) == 0)
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.severity) == [.damaged])
        #expect(facts.layers.count == sandbox.store.layers.count)
    }

    @Test("a container that is being made has its layer at once and its name when that is written")
    func halfMadeContainer() throws {
        let sandbox = try StoreSandbox.small()
        let container = try sandbox.container()
        let directory = "\(sandbox.root)/containers/\(container.id)"
        try FileManager.default.moveItem(atPath: directory, toPath: directory + "-aside")
        let reader = sandbox.reader()
        let young = reader.read().facts
        #expect(young.inOrder.layers == sandbox.store.facts.layers)
        #expect(young.containers.isEmpty)
        #expect(young.problems.map(\.severity) == [.pending])
        #expect(young.problems.map(\.object) == [.container(container.id)])
        try FileManager.default.moveItem(atPath: directory + "-aside", toPath: directory)
        #expect(reader.read().facts.inOrder == sandbox.store.facts)
    }

    @Test("a container whose configuration is damaged is listed at once: waiting would not make it whole")
    func damagedYoungContainer() throws {
        let sandbox = try StoreSandbox.small()
        let container = try sandbox.container()
        try sandbox.write("no JSON", to: "\(sandbox.root)/containers/\(container.id)/config.v2.json")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.severity) == [.damaged])
        #expect(facts.containers.map(\.id) == [container.id])
        #expect(facts.containers.map(\.layer) == [container.layer])
    }

    @Test("a damaged layer's directory is watched, that of a whole one is not")
    func watchesDamage() throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        let directory = "/layerdb/sha256/\(layer.id)"
        #expect(!sandbox.reader().read().directories.contains { $0.hasSuffix(directory) })
        try sandbox.write("many", to: "\(sandbox.metadata)\(directory)/size")
        #expect(sandbox.reader().read().directories.contains { $0.hasSuffix(directory) })
    }

    @Test("a layer that a removed container left behind is listed by the container's short id")
    func leftBehind() throws {
        let sandbox = try StoreSandbox.small()
        let container = try sandbox.container()
        try sandbox.remove("\(sandbox.root)/containers/\(container.id)")
        let facts = sandbox.reader(graceSeconds: -1).read().facts
        let found = try #require(facts.containers.first)
        #expect(found.name == String(container.id.prefix(12)))
        #expect(found.layer == container.layer)
        #expect(found.chain == container.chain)
        #expect(facts.hardened().problems.map(\.severity) == [.damaged])
    }

    @Test("a container without an entry in layerdb is pending, then listed without a layer")
    func missingMount() throws {
        let sandbox = try StoreSandbox.small()
        let container = try sandbox.container()
        try sandbox.remove("\(sandbox.metadata)/layerdb/mounts/\(container.id)")
        let young = sandbox.reader().read().facts
        #expect(young.containers.isEmpty)
        #expect(young.problems.map(\.severity) == [.pending])
        let old = sandbox.reader(graceSeconds: -1).read().facts
        #expect(old.containers.map(\.name) == ["web-1"])
        #expect(old.containers.map(\.layer) == [""])
    }

    @Test("an entry in layerdb whose files are not there yet is pending")
    func emptyMount() throws {
        let sandbox = try StoreSandbox.small()
        try sandbox.makeDirectory("\(sandbox.metadata)/layerdb/mounts/" + String(repeating: "c", count: 64))
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.allSatisfy { $0.severity == .pending })
        #expect(facts.containers.count == 1)
    }

    @Test("a configuration that is another container's is damaged")
    func foreignConfig() throws {
        let sandbox = try StoreSandbox.small()
        let container = try sandbox.container()
        try sandbox.write(
            #"{"ID":"else","Name":"/x","Image":"latest"}"#,
            to: "\(sandbox.root)/containers/\(container.id)/config.v2.json")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.severity) == [.damaged, .damaged])
        #expect(facts.containers.map(\.layer) == [container.layer])
    }

    @Test("a container of another driver is no concern of this store")
    func otherDriver() throws {
        let sandbox = try StoreSandbox.small()
        let id = String(repeating: "d", count: 64)
        try sandbox.makeDirectory("\(sandbox.root)/containers/\(id)")
        try sandbox.write(
            #"{"ID":"\#(id)","Name":"/x","Driver":"overlayfs"}"#,
            to: "\(sandbox.root)/containers/\(id)/config.v2.json")
        var facts = sandbox.reader().read().facts
        // What it logs lies here all the same.
        #expect(facts.trees.count { $0.id == "log:\(id)" } == 1)
        facts.trees.removeAll { $0.id == "log:\(id)" }
        #expect(facts.inOrder == sandbox.store.facts)
    }
}
