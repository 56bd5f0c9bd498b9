import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("Damage in Docker's store")
struct DockerDamageTests {
    struct Content: Sendable, CustomTestStringConvertible {
        let text: String
        let severity: StoreProblem.Severity
        var testDescription: String { String(text.prefix(30)) }
    }

    static let json = [
        Content(text: "", severity: .pending),
        Content(text: "{\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[\"sha2", severity: .pending),
        Content(text: "not json", severity: .damaged),
        Content(text: "[1,2]", severity: .damaged),
        Content(text: "\"text\"", severity: .damaged),
        Content(text: String(repeating: "[", count: 100_000), severity: .damaged),
        Content(text: "{\"a\":" + String(repeating: "[", count: 100_000), severity: .pending),
        Content(text: "{\"x\":\"" + String(repeating: "y", count: 5 << 20) + "\"}", severity: .damaged),
        Content(text: "\u{0}\u{1}\u{2}", severity: .damaged),
        Content(text: "[" + String(repeating: "0,", count: 500_000) + "0]", severity: .damaged),
    ]

    @Test("a bad image configuration is named, and everything else stays", arguments: json)
    func badImageConfig(content: Content) throws {
        let sandbox = try StoreSandbox.small()
        let image = try sandbox.image("base:1")
        let path = "\(sandbox.metadata)/imagedb/content/sha256/\(image.id)"
        try sandbox.write(content.text, to: path)
        let facts = sandbox.reader().read().facts
        let problem = try #require(facts.problems.first)
        #expect(facts.problems.count == 1)
        #expect(problem.object == .image(image.id))
        #expect(problem.severity == content.severity)
        #expect(problem.path.hasSuffix("/imagedb/content/sha256/\(image.id)"))
        #expect(!problem.reason.isEmpty)
        #expect(facts.images.first { $0.id == image.id }?.names == image.names)
        #expect(facts.images.filter { $0.id != image.id }.count == sandbox.store.images.count - 1)
        #expect(facts.inOrder.layers == sandbox.store.facts.layers)
        #expect(facts.containers == sandbox.store.facts.containers)
    }

    @Test(
        "numbers without end, keys that come twice and lists without end in a configuration cost at most its image",
        arguments: [
            #"{"created":1e999,"rootfs":{"type":"layers","diff_ids":1e999},"history":-1e999}"#,
            #"{"rootfs":{"diff_ids":[]},"rootfs":{"diff_ids":["sha256:..","../../../etc"]},"rootfs":1}"#,
            #"{"rootfs":{"diff_ids":["../../../../etc/passwd"]},"history":[]}"#,
            #"{"rootfs":{"diff_ids":[0"# + String(repeating: ",0", count: 500_000) + "]}}",
            #"{"history":["# + String(repeating: "{},", count: 300_000) + "{}]}",
            #"{"a":1"# + String(repeating: #","a":1"#, count: 300_000) + "}",
        ])
    func strangeImageConfig(text: String) throws {
        let sandbox = try StoreSandbox.small()
        let image = try sandbox.image("base:1")
        try sandbox.write(text, to: "\(sandbox.metadata)/imagedb/content/sha256/\(image.id)")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.allSatisfy { $0.object == .image(image.id) }, "\(facts.problems)")
        #expect(facts.images.filter { $0.id != image.id }.count == sandbox.store.images.count - 1)
        #expect(facts.inOrder.layers == sandbox.store.facts.layers)
        #expect(facts.containers == sandbox.store.facts.containers)
    }

    @Test("an image configuration that went bad keeps what was known of it")
    func keepsKnownImage() throws {
        let sandbox = try StoreSandbox.small()
        let reader = sandbox.reader()
        _ = reader.read()
        let image = try sandbox.image("base:1")
        try sandbox.truncate("\(sandbox.metadata)/imagedb/content/sha256/\(image.id)", to: 20)
        let facts = reader.read().facts
        #expect(facts.images.contains(image))
        #expect(facts.problems.map(\.severity) == [.pending])
        #expect(facts.hardened().problems.map(\.severity) == [.damaged])
        #expect(reader.read().facts.images.contains(image))
    }

    @Test("fields of another type are passed over")
    func lossyFields() throws {
        let sandbox = try StoreSandbox.small()
        let container = try sandbox.container()
        try sandbox.write(
            """
            {"ID":"\(container.id)","Name":7,"Image":"sha256:\(container.imageID)","Driver":["x"],
             "Config":{"Labels":{"good":"yes","bad":3},"Image":null},"State":{"Running":"yes"},
             "MountPoints":{"/a":5,"/b":{"Type":"volume","Name":"v","Driver":"local"}},"LogPath":{}}
            """, to: "\(sandbox.root)/containers/\(container.id)/config.v2.json")
        let facts = sandbox.reader().read().facts
        let found = try #require(facts.containers.first)
        #expect(found.name == String(container.id.prefix(12)))
        #expect(found.labels == ["good": "yes"])
        #expect(!found.isRunning)
        let source = sandbox.reader().identity.root + "/volumes/v/_data"
        #expect(found.mounts == [MountFact(kind: .volume, name: "v", source: source, destination: "/b")])
        #expect(facts.problems.isEmpty)
    }

    @Test("a bad repositories.json costs the names alone", arguments: json.filter { $0.text.count < 200_000 })
    func badRepositories(content: Content) throws {
        let sandbox = try StoreSandbox.small()
        let reader = sandbox.reader()
        try sandbox.write(content.text, to: sandbox.metadata + "/repositories.json")
        let facts = reader.read().facts
        #expect(facts.problems.map(\.severity) == [content.severity])
        #expect(facts.problems.first?.object == .store)
        #expect(facts.images.map(\.id) == sandbox.store.facts.images.map(\.id))
        #expect(facts.images.allSatisfy { $0.names.isEmpty })
    }

    @Test("a name that went bad leaves the other names")
    func badName() throws {
        let sandbox = try StoreSandbox.small()
        let id = try sandbox.image("base:1").id
        try sandbox.write(
            #"{"Repositories":{"base":{"base:1":"sha256:\#(id)","base:2":"../../etc","base:3":5},"x":[]}}"#,
            to: sandbox.metadata + "/repositories.json")
        let facts = sandbox.reader().read().facts
        #expect(facts.images.first { $0.id == id }?.names == ["base:1"])
        #expect(facts.problems.map(\.severity) == [.damaged])
        #expect(facts.problems.first?.reason.contains("3 such") == true)
    }

    @Test("a name of an image that is not there is pending")
    func danglingName() throws {
        let sandbox = try StoreSandbox.small()
        let id = String(repeating: "0", count: 64)
        try sandbox.write(
            #"{"Repositories":{"gone":{"gone:1":"sha256:\#(id)"}}}"#,
            to: sandbox.metadata + "/repositories.json")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.severity) == [.pending])
        #expect(facts.problems.first?.reason.contains("gone:1") == true)
    }

    @Test("a missing repositories.json is said once there are images")
    func missingRepositories() throws {
        let sandbox = try StoreSandbox.small()
        try sandbox.remove(sandbox.metadata + "/repositories.json")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.severity) == [.pending])
        #expect(facts.images.count == sandbox.store.images.count)
    }

    @Test("a history that does not fit the layers makes the image damaged and gives no step a layer")
    func unevenHistory() throws {
        let sandbox = try StoreSandbox.small()
        let image = try sandbox.image("base:1")
        let path = "\(sandbox.metadata)/imagedb/content/sha256/\(image.id)"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let step = #""created_by":"CMD sh""#
        let wrong = text.replacingOccurrences(of: step + #","empty_layer":true"#, with: step)
        try #require(wrong != text)
        try sandbox.write(wrong, to: path)
        let facts = sandbox.reader().read().facts
        let found = try #require(facts.images.first { $0.id == image.id })
        #expect(found.layers == image.layers)
        #expect(found.history.map(\.layer) == [nil, nil])
        #expect(facts.problems.map(\.object) == [.image(image.id)])
        #expect(facts.problems.map(\.severity) == [.damaged])
    }

    @Test("an image that misses a layer is damaged, by the diff id, and the rest stays")
    func missingLayer() throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "registry:5000/team/web:2")
        let image = try sandbox.image("registry:5000/team/web:2")
        try sandbox.remove("\(sandbox.metadata)/layerdb/sha256/\(layer.id)")
        let facts = sandbox.reader().read().facts
        let problem = try #require(facts.problems.first { $0.object == .image(image.id) })
        #expect(problem.severity == .damaged)
        #expect(problem.reason.contains(layer.diffID ?? "?"))
        #expect(facts.images.first { $0.id == image.id }?.layers == Array(image.layers.dropLast()))
        let base = try sandbox.image("base:1")
        #expect(facts.images.contains(base))
        // The container lies on it too, and its own layers are charged all the same.
        #expect(facts.layers.count { $0.kind != .inFlight } == sandbox.store.layers.count - 1)
        #expect(facts.layers.count { $0.kind == .inFlight } == 1)
        #expect(facts.containers.count == 1)
    }

    @Test("a store without its layer database says so")
    func halfGone() throws {
        let sandbox = try StoreSandbox.small()
        try sandbox.remove(sandbox.metadata + "/layerdb")
        let facts = sandbox.reader(graceSeconds: 0).read().facts
        let problem = try #require(facts.problems.first)
        #expect(problem.severity == .damaged)
        #expect(problem.reason.contains("layerdb/sha256 does not exist"))
        #expect(facts.images.count == sandbox.store.images.count)
    }

    @Test("images whose parents lead in a circle are damaged and have no parent")
    func parentRing() throws {
        let sandbox = try StoreSandbox.small()
        let image = try sandbox.image("base:1")
        let below = try #require(image.parent)
        let directory = "\(sandbox.metadata)/imagedb/metadata/sha256/\(below)"
        try sandbox.makeDirectory(directory)
        try sandbox.write("sha256:\(image.id)", to: directory + "/parent")
        let facts = sandbox.reader().read().facts
        #expect(Set(facts.problems.map(\.object)) == [.image(image.id), .image(below)])
        #expect(facts.problems.map(\.severity) == [.damaged, .damaged])
        #expect(facts.problems.allSatisfy { $0.path.hasSuffix("/parent") })
        for found in facts.images {
            let isInRing = [image.id, below].contains(found.id)
            let parent = sandbox.store.images[found.id]?.parent
            #expect(found.parent == (isInRing ? nil : parent))
            #expect(found.layers == sandbox.store.images[found.id]?.layers)
        }
    }

    @Test("a store without its image database says so once")
    func missingImages() throws {
        let sandbox = try StoreSandbox.small()
        try sandbox.remove(sandbox.metadata + "/imagedb")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.severity) == [.pending])
        #expect(facts.problems.map(\.object) == [.store])
        #expect(facts.problems.first?.path.hasSuffix("/imagedb/content/sha256") == true)
        #expect(facts.inOrder.layers == sandbox.store.facts.layers)
        #expect(facts.containers == sandbox.store.facts.containers)
    }

    @Test("a store whose layers are not mounted is unreadable as a whole")
    func missingData() throws {
        let sandbox = try StoreSandbox.small()
        try sandbox.remove(sandbox.root + "/overlay2")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.severity) == [.unreadable])
        #expect(facts.problems.first?.path.hasSuffix("/overlay2") == true)
    }

    @Test("of a directory of too many objects those that fit are read, and the rest is told, in few words")
    func tooManyObjects() async throws {
        try await onThread { try Self.readTooManyObjects() }
    }

    private static func readTooManyObjects() throws {
        let sandbox = try StoreSandbox.small()
        let limit = 100_000
        let directory = sandbox.metadata + "/imagedb/content/sha256/"
        for index in 0..<limit {
            let name = String(repeating: "0", count: 59) + String(100_000 + index).suffix(5)
            let file = open(directory + name, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
            try #require(file >= 0)
            close(file)
        }
        let facts = sandbox.reader().read().facts
        #expect(
            facts.problems.contains {
                $0.severity == .damaged
                    && $0.reason == "it holds more than \(limit) objects; the rest is not accounted"
            })
        let last = try #require(facts.problems.last)
        #expect(last.reason.hasSuffix(" more objects are damaged"), "\(last)")
        #expect(facts.problems.count <= 1_001)
        #expect(facts.inOrder.layers == sandbox.store.facts.layers)
        #expect(facts.containers.count == sandbox.store.facts.containers.count)
    }
}
