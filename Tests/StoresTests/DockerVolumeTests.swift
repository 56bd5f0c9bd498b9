import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("Docker's volumes and logs")
struct DockerVolumeTests {
    @Test("volumes have their labels and drivers, and those without options a tree")
    func readsVolumes() throws {
        let sandbox = try StoreSandbox.small()
        let content = LayerContent(files: [.init("db/table", size: 4_321)])
        try sandbox.store.addVolume(named: "data", labels: ["tier": "db"], holding: content)
        try sandbox.store.addVolume(holding: content)
        try sandbox.store.addVolume(named: "labelled", labels: ["com.docker.volume.anonymous": ""])
        try sandbox.store.addVolume(named: "remote", mounted: ("nfs", ":/export"))
        try sandbox.store.addVolume(named: "memory", mounted: ("tmpfs", "tmpfs"))
        try sandbox.store.addVolume(named: "plugin", driver: "vieux/sshfs")
        let reading = sandbox.reader().read()
        var expected = sandbox.store.facts
        for index in expected.volumes.indices where expected.volumes[index].name == "labelled" {
            expected.volumes[index].isAnonymous = true
        }
        #expect(reading.facts.inOrder == expected)
        #expect(reading.facts.volumes.filter(\.isAnonymous).count == 2)
        #expect(
            reading.facts.volumes.filter { $0.tree == nil }.map(\.name) == ["memory", "plugin", "remote"])
        #expect(StoreConformance.flaws(of: reading.facts) == [])
        #expect(reading.directories.contains(sandbox.store.root + "/volumes"))
        #expect(reading.databases == [sandbox.store.root + "/volumes/metadata.db"])
    }

    @Test("a volume that came without its record is known by its directory, and one that goes is gone")
    func followsVolumes() throws {
        let sandbox = try StoreSandbox.small()
        let reader = sandbox.reader()
        try sandbox.store.addVolume(named: "one")
        #expect(reader.read().facts.inOrder == sandbox.store.facts)
        try sandbox.makeDirectory(sandbox.root + "/volumes/two/_data")
        #expect(reader.read().facts.volumes.map(\.name) == ["one", "two"])
        #expect(reader.read().filesRead == 0)
        try sandbox.store.removeVolume("one")
        try sandbox.remove(sandbox.root + "/volumes/two")
        let last = reader.read()
        #expect(last.facts.inOrder == sandbox.store.facts)
        #expect(last.facts.volumes.isEmpty && last.filesRead == 1)
    }

    @Test("a volume whose files are behind a link is charged nothing, and says so")
    func linkedData() throws {
        let sandbox = try StoreSandbox.small()
        try sandbox.store.addVolume(named: "v")
        try sandbox.remove(sandbox.root + "/volumes/v/_data")
        try FileManager.default.createSymbolicLink(
            atPath: sandbox.root + "/volumes/v/_data", withDestinationPath: "/usr")
        let facts = sandbox.reader().read().facts
        #expect(facts.volumes.map(\.tree) == [nil])
        #expect(facts.problems.map(\.object) == [.volume("v")])
        #expect(facts.problems.map(\.severity) == [.damaged])
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test(
        "bad options charge nothing to the volume and cost nothing else",
        arguments: ["", "{\"MountType\":", "nonsense", "[]", String(repeating: "[", count: 100_000)])
    func badOptions(text: String) throws {
        let sandbox = try StoreSandbox.small()
        try sandbox.store.addVolume(named: "good")
        try sandbox.store.addVolume(named: "v", mounted: ("nfs", ":/x"))
        try sandbox.write(text, to: sandbox.root + "/volumes/v/opts.json")
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.object) == [.volume("v")])
        #expect(facts.volumes.map(\.tree) == ["volume:good", nil])
        #expect(facts.inOrder.layers == sandbox.store.facts.layers)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("a database that is no database costs labels and drivers alone")
    func badDatabase() throws {
        let sandbox = try StoreSandbox.small()
        try sandbox.store.addVolume(named: "v", labels: ["a": "b"])
        let path = sandbox.root + "/volumes/metadata.db"
        let reader = sandbox.reader()
        #expect(reader.read().facts.problems.isEmpty)
        for content in [Data(), Data(repeating: 0xAB, count: 32_768), Data("{}".utf8)] {
            try content.write(to: URL(fileURLWithPath: path))
            let known = reader.read().facts
            #expect(known.problems.count == 1 && known.problems[0].object == .store)
            #expect(known.volumes.map(\.labels) == [["a": "b"]])
            let fresh = sandbox.reader().read().facts
            #expect(fresh.volumes.map(\.tree) == ["volume:v"])
            #expect(fresh.volumes.map(\.labels) == [[:]])
            #expect(fresh.inOrder.layers == sandbox.store.facts.layers)
        }
    }

    @Test("logs of every driver, rotated ones too, are in the container's tree and in nothing else")
    func placesLogs() throws {
        let sandbox = try StoreSandbox.small()
        let id = try sandbox.container().id
        let directory = "\(sandbox.root)/containers/\(id)"
        try sandbox.makeDirectory(directory + "/local-logs")
        try sandbox.makeDirectory(directory + "/checkpoints")
        for file in [
            "\(id)-json.log.1", "\(id)-json.log.2.gz", "local-logs/container.log", "container-cached.log",
            "container-cached.log.1.gz",
        ] {
            try sandbox.write("log", to: "\(directory)/\(file)")
        }
        let facts = sandbox.reader().read().facts
        #expect(facts.containers.map(\.trees) == [["log:\(id)"]])
        #expect(StoreConformance.flaws(of: facts) == [])
        let tree = try #require(facts.trees.first { $0.id == "log:\(id)" })
        let chosen = try FileManager.default.contentsOfDirectory(atPath: directory).filter { name in
            tree.entries.contains { $0.matches(Array(name.utf8)) }
        }
        #expect(
            chosen.sorted() == [
                "\(id)-json.log", "\(id)-json.log.1", "\(id)-json.log.2.gz", "container-cached.log",
                "container-cached.log.1.gz", "local-logs",
            ])
    }

    @Test("the log that a removed container left behind is a log still")
    func leftoverLog() throws {
        let sandbox = try StoreSandbox.small()
        let container = try sandbox.container()
        let directory = "\(sandbox.root)/containers/\(container.id)"
        try sandbox.remove("\(sandbox.metadata)/layerdb/mounts/\(container.id)")
        try sandbox.remove(directory + "/config.v2.json")
        let facts = sandbox.reader(graceSeconds: 0).read().facts
        #expect(facts.containers.isEmpty)
        #expect(facts.trees.contains { $0.id == "log:\(container.id)" })
    }
}
