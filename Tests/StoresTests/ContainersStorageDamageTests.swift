import Accounting
import Foundation
import Testing
import UsageTestKit

@testable import Stores

@Suite("Damage in a store of containers-storage")
struct ContainersStorageDamageTests {
    enum Damage: CaseIterable, Sendable {
        case empty, cut, notJSON, object, numbers, deep, giant, symlink, fifo, directory
    }

    static let lists = ["layers", "volatile-layers", "images", "containers", "volatile-containers"]

    private func apply(_ damage: Damage, to path: String) throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try FileManager.default.removeItem(atPath: path)
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
        switch damage {
        case .empty: try write("")
        case .cut: try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
        case .notJSON: try write("not json")
        case .object: try write(#"{"id":1}"#)
        case .numbers: try write("[" + String(repeating: "0,", count: 4_100_000) + "0]")
        case .deep: try write(String(repeating: "[", count: 100_000))
        case .giant: try write("[\"" + String(repeating: "y", count: RecordList<LayerRecord>.limit) + "\"]")
        case .symlink:
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd")
        case .fifo: #expect(mkfifo(path, 0o644) == 0)
        case .directory:
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    @Test(
        "a list that cannot be used is told, what it says of nobody else is lost, and known things stay",
        arguments: Damage.allCases, lists)
    func badList(damage: Damage, list: String) async throws {
        try await onThread { try checkBadList(damage, list) }
    }

    private func checkBadList(_ damage: Damage, _ list: String) throws {
        let sandbox = try ContainersStorageSandbox.small()
        let known = sandbox.reader(orphanSeconds: 0)
        let before = known.read().facts
        let path = sandbox.store.list(list)
        let text = try Data(contentsOf: URL(fileURLWithPath: path))
        try apply(damage, to: path)
        for reader in [known, sandbox.reader(orphanSeconds: 0)] {
            let facts = reader.read().facts
            let problem = facts.problems.first { $0.object == .store && $0.path.hasSuffix("/\(list).json") }
            #expect(problem != nil)
            #expect(facts.problems.allSatisfy { !$0.reason.isEmpty })
            #expect(StoreConformance.flaws(of: facts).allSatisfy { $0.contains("lies on what is no layer") })
            // What the engine may still know is no orphan.
            #expect(!facts.layers.contains { $0.kind == .orphan })
            #expect(facts.volumes == before.volumes)
        }
        var facts = known.read().facts.sorted
        facts.problems = []
        #expect(facts == before.sorted)
        try FileManager.default.removeItem(atPath: path)
        try text.write(to: URL(fileURLWithPath: path))
        #expect(known.read().facts.sorted == sandbox.store.facts)
    }

    @Test("a list of more objects than are followed is said, and known things stay")
    func longList() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let known = sandbox.reader(orphanSeconds: 0)
        let before = known.read().facts
        try sandbox.replace(
            sandbox.store.list("containers"),
            with: "[" + repeatElement("null", count: 100_001).joined(separator: ",") + "]")
        var facts = known.read().facts
        #expect(facts.problems.map(\.object) == [.store])
        #expect(facts.problems.first?.reason == "it names more than 100000 objects")
        facts.problems = []
        #expect(facts.sorted == before.sorted)
    }

    @Test("a list without its file is an empty one")
    func missingList() throws {
        let sandbox = try ContainersStorageSandbox.small()
        try FileManager.default.removeItem(atPath: sandbox.store.list("volatile-containers"))
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.isEmpty)
        #expect(facts.containers.map(\.name) == ["web-1"])
        // Its layer is of no container and of no image.
        #expect(facts.layers.filter { $0.kind == .inFlight }.count == 1)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("a record that is none, or of an id that could lead elsewhere, costs itself alone")
    func badRecords() throws {
        let sandbox = try ContainersStorageSandbox.small()
        for list in Self.lists {
            let path = sandbox.store.list(list)
            let bad = #"[1,{"id":5},{"id":"../../etc","layer":"x"},{"id":"","layer":""},{"name":"x"},"#
            try sandbox.replace(path, with: bad + sandbox.text(path).dropFirst())
        }
        let facts = sandbox.reader(orphanSeconds: 0).read().facts
        #expect(facts.problems.count == Self.lists.count)
        #expect(
            facts.problems.allSatisfy { $0.reason.contains("5 of its members") && $0.severity == .damaged })
        var sorted = facts.sorted
        sorted.problems = []
        #expect(sorted == sandbox.store.facts)
    }

    @Test("an object that stands twice in its list is told, and stands once in the facts")
    func twice() throws {
        let sandbox = try ContainersStorageSandbox.small()
        for list in ["layers", "images", "containers"] {
            let path = sandbox.store.list(list)
            let text = try sandbox.text(path)
            try sandbox.replace(path, with: text.dropLast() + "," + text.dropFirst())
        }
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.count == 3)
        #expect(facts.problems.allSatisfy { $0.reason.contains("stands there twice") })
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("layers whose parents lead in a circle are told, and still counted once")
    func ring() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let web = try sandbox.image("registry:5000/team/web:2")
        let (lowest, top) = (web.layers[0], web.layers[2])
        let path = sandbox.store.list("layers")
        let text = try sandbox.text(path).replacing(
            "\"id\":\"\(lowest)\"", with: "\"id\":\"\(lowest)\",\"parent\":\"\(top)\"")
        try sandbox.replace(path, with: text)
        let facts = sandbox.reader().read().facts
        for layer in web.layers { #expect(facts.problems.contains { $0.object == .layer(layer) }) }
        #expect(facts.problems.contains { $0.object == .image(web.id) && $0.severity == .damaged })
        #expect(facts.layers.count == sandbox.store.layers.count)
        #expect(StoreConformance.flaws(of: facts) == [])
        let job = try sandbox.container("job")
        #expect(facts.problems.contains { $0.object == .container(job.id) })
    }

    @Test("a chain of a hundred thousand layers is cut, and ends in time")
    func longChain() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let path = sandbox.store.list("layers")
        let records = (0..<100_000).map { #"{"id":"x\#($0)","parent":"x\#($0 + 1)"}"# }
        try sandbox.replace(path, with: "[" + records.joined(separator: ",") + "]")
        let images = sandbox.store.list("images")
        try sandbox.replace(
            images, with: #"[{"id":"im","layer":"x0"},"# + sandbox.text(images).dropFirst())
        let facts = sandbox.reader().read().facts
        #expect(!facts.problems.isEmpty)
        #expect(facts.problems.count <= 1001)
    }

    @Test(
        "a layer without its directory is missed, and by the image and the container that lie on it",
        arguments: [
            "gone", "file", "link",
        ])
    func missingDirectory(how: String) throws {
        let sandbox = try ContainersStorageSandbox.small()
        let base = try sandbox.image("localhost/base:1")
        let layer = base.layers[0]
        let directory = "\(sandbox.store.root)/overlay/\(layer)"
        let aside = sandbox.store.root + "/tmp/aside"
        try FileManager.default.moveItem(atPath: directory, toPath: aside)
        switch how {
        case "file": try Data().write(to: URL(fileURLWithPath: directory))
        case "link": try FileManager.default.createSymbolicLink(atPath: directory, withDestinationPath: aside)
        default: break
        }
        let facts = sandbox.reader().read().facts
        let job = try sandbox.container("job")
        for object in [StoreProblem.Object.layer(layer), .image(base.id), .container(job.id)] {
            #expect(facts.problems.contains { $0.object == object }, "\(object)")
        }
        #expect(facts.layers.count == sandbox.store.layers.count - 1)
        #expect(facts.images.first { $0.id == base.id }?.layers == [])
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test(
        "a bad configuration of an image costs its history alone",
        arguments: [
            "", "{", "[]", "nonsense", #"{"history":[{"created_by":"x"}],"rootfs":{"diff_ids":[]}}"#,
            #"{"rootfs":{"type":"layers","diff_ids":["sha256:0","sha256:1","sha256:2","sha256:3"]}}"#,
        ])
    func badImageConfig(text: String) throws {
        let sandbox = try ContainersStorageSandbox.small()
        let base = try sandbox.image("localhost/base:1")
        try sandbox.replace(sandbox.store.configFile(of: base.id), with: text)
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.object) == [.image(base.id)])
        let image = try #require(facts.images.first { $0.id == base.id })
        #expect(image.layers == base.layers && image.names == base.names)
        #expect(image.history.allSatisfy { $0.layer == nil })
        #expect(facts.layers.sorted { $0.id < $1.id } == sandbox.store.facts.layers)
    }

    @Test("a bad bundle costs the container's mounts alone", arguments: Damage.allCases)
    func badBundle(damage: Damage) throws {
        let sandbox = try ContainersStorageSandbox.small()
        let web = try sandbox.container("web-1")
        try apply(damage, to: sandbox.store.userData(of: web.id) + "/config.json")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.object) == (damage == .object ? [] : [.container(web.id)]))
        var expected = web
        expected.mounts = []
        #expect(facts.containers.first { $0.id == web.id } == expected)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test(
        "a link that leads elsewhere is told, and names nothing",
        arguments: ["../../../etc", "l", "", "\u{1}"])
    func badLink(text: String) throws {
        let sandbox = try ContainersStorageSandbox.small()
        let layer = try sandbox.image("localhost/base:1").layers[0]
        try sandbox.replace("\(sandbox.store.root)/overlay/\(layer)/link", with: text)
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.object) == [.layer(layer)])
        #expect(
            facts.layers.first { $0.id == layer }?.metadata.contains { $0.hasPrefix("overlay/l/") } == false)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("absurd numbers are no sizes")
    func absurdNumbers() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let layer = try sandbox.image("localhost/base:1").layers[0]
        let path = sandbox.store.list("layers")
        let size = try #require(sandbox.store.layers[layer]?.declaredSizeBytes)
        for number in ["-1", "1e999", "99999999999999999999", "\"7\"", "null", "1.5"] {
            let whole = try sandbox.text(path)
            try sandbox.replace(
                path, with: whole.replacing("\"diff-size\":\(size)", with: "\"diff-size\":\(number)"))
            let facts = sandbox.reader().read().facts
            #expect(facts.layers.first { $0.id == layer }?.declaredSizeBytes == nil, "\(number)")
            #expect(facts.layers.count == sandbox.store.layers.count || number == "1e999", "\(number)")
            try sandbox.store.writeLayers()
        }
    }

    @Test("bits that flip by chance cost what they are of, and never more", arguments: [UInt64(1), 2, 3])
    func flippedBits(seed: UInt64) async throws {
        try await onThread { try flipBits(seed) }
    }

    private func flipBits(_ seed: UInt64) throws {
        let sandbox = try ContainersStorageSandbox.small()
        var generator = SeededGenerator(seed: seed)
        let reader = sandbox.reader(orphanSeconds: 0)
        _ = reader.read()
        for round in 0..<120 {
            let path = try #require(sandbox.lists.randomElement(using: &generator))
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
            try bytes.write(to: URL(fileURLWithPath: path), options: .atomic)
            for facts in [reader.read().facts, sandbox.reader().read().facts] {
                let flaws = StoreConformance.flaws(of: facts).filter { !$0.contains("what is no layer") }
                #expect(flaws == [], "seed \(seed), round \(round)")
                #expect(Set(facts.layers.map(\.directory)).count == facts.layers.count)
            }
            try whole.write(to: URL(fileURLWithPath: path), options: .atomic)
            #expect(reader.read().facts.sorted == sandbox.store.facts, "seed \(seed), round \(round)")
        }
    }
}
