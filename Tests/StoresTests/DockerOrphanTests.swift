import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("Orphans and build cache in Docker's store")
struct DockerOrphanTests {
    static let drivers = ["overlay2", "vfs"]

    /// A directory of the driver's that nothing names, as an engine that was killed leaves it.
    private func leave(_ name: String, in sandbox: StoreSandbox) throws -> String {
        let isOverlay = sandbox.store.driver == "overlay2"
        let directory = "\(sandbox.store.root)/\(isOverlay ? "overlay2" : "vfs/dir")/\(name)"
        try sandbox.makeDirectory(directory + (isOverlay ? "/diff/usr/bin" : "/usr/bin"))
        try sandbox.write("left", to: directory + (isOverlay ? "/diff/usr/bin/x" : "/usr/bin/x"))
        return directory
    }

    @Test(
        "what nothing names is in flight while it changes, and an orphan after the grace", arguments: drivers)
    func becomesOrphan(driver: String) throws {
        let sandbox = try StoreSandbox.small(driver: driver)
        let name = String(repeating: "c", count: 64)
        let directory = try leave(name, in: sandbox)
        let start = Int64(Date().timeIntervalSince1970 * 1e9)
        let young = sandbox.reader(orphanSeconds: 600).read()
        let made = try #require(young.facts.layers.first { $0.id == name })
        #expect(made.kind == .inFlight && made.isWritable && made.directory == directory && made.since == nil)
        let due = try #require(young.readAgainAt)
        #expect(abs(due - start - 600_000_000_000) < 30_000_000_000)
        #expect(StoreConformance.flaws(of: young.facts) == [])

        let old = sandbox.reader(orphanSeconds: 0).read()
        let left = try #require(old.facts.layers.first { $0.id == name })
        #expect(left.kind == .orphan && !left.isWritable && left.directory == directory)
        #expect(abs((left.since ?? 0) - start) < 30_000_000_000)
        #expect(old.readAgainAt == nil)
        #expect(StoreConformance.flaws(of: old.facts) == [])
        #expect(old.facts.layers.count { $0.kind == .orphan } == 1)
    }

    @Test("the same reader calls it an orphan once it is due, and forgets it once it is named or gone")
    func sameReader() async throws {
        let sandbox = try StoreSandbox.small()
        let name = "x-removing"
        let directory = try leave(name, in: sandbox)
        let reader = sandbox.reader(orphanSeconds: 1.5)
        #expect(reader.read().facts.layers.first { $0.id == name }?.kind == .inFlight)
        try await wait(until: "it to be an orphan") {
            reader.read().facts.layers.first { $0.id == name }?.kind == .orphan
        }
        // Deep below it something is written again.
        try await wait(until: "it to be in flight") {
            try sandbox.write("more", to: directory + "/diff/usr/bin/y")
            return reader.read().facts.layers.first { $0.id == name }?.kind == .inFlight
        }
        try sandbox.remove(directory)
        #expect(reader.read().facts.inOrder == sandbox.store.facts)
    }

    @Test("live build cache is no orphan, whatever its age", arguments: drivers)
    func keepsBuildCache(driver: String) throws {
        let sandbox = try StoreSandbox.small(driver: driver)
        let base = try sandbox.topLayer(of: "base:1")
        let step = try sandbox.store.addBuildCache(
            LayerContent(files: [.init("a", size: 3_000)]), on: base.id, isCommitted: true)
        let running = try sandbox.store.addBuildCache(LayerContent(), on: step.id, isCommitted: false)
        let context = try sandbox.store.addBuildCache(
            LayerContent(files: [.init("Dockerfile", size: 200)]), isCommitted: false)
        let reader = sandbox.reader(orphanSeconds: 0)
        let reading = reader.read()
        #expect(reading.facts.inOrder == sandbox.store.facts)
        #expect(reading.databases.contains(sandbox.store.root + "/buildkit/snapshots.db"))
        #expect(reader.read().filesRead == 0)

        // What BuildKit forgot and could not remove is one.
        for id in [running.id, context.id] { try sandbox.store.removeBuildCache(id) }
        #expect(reader.read().facts.inOrder == sandbox.store.facts)
        _ = try leave(context.id, in: sandbox)
        #expect(reader.read().facts.layers.first { $0.id == context.id }?.kind == .orphan)
    }

    @Test("a layer that only the build cache still uses is build cache")
    func keptForCache() throws {
        let sandbox = try StoreSandbox.small()
        let image = try sandbox.image("registry:5000/team/web:2")
        let layer = try sandbox.topLayer(of: "registry:5000/team/web:2")
        try sandbox.store.keepInBuildCache(layer)
        let reader = sandbox.reader(orphanSeconds: 0)
        #expect(reader.read().facts.inOrder == sandbox.store.facts)
        try sandbox.store.removeContainer(try sandbox.container().id)
        try sandbox.remove("\(sandbox.metadata)/imagedb/content/sha256/\(image.id)")
        try sandbox.write("{\"Repositories\":{}}", to: sandbox.metadata + "/repositories.json")
        let facts = reader.read().facts
        #expect(facts.layers.first { $0.id == layer.id }?.kind == .buildCache)
        #expect(!facts.layers.contains { $0.kind == .orphan })
    }

    @Test("while it is not known what BuildKit has, nothing is an orphan")
    func damagedSnapshots() throws {
        let sandbox = try StoreSandbox.small()
        let cache = try sandbox.store.addBuildCache(LayerContent(), isCommitted: true)
        for content in [Data(), Data(repeating: 7, count: 20_000)] {
            try content.write(to: URL(fileURLWithPath: sandbox.root + "/buildkit/snapshots.db"))
            let facts = sandbox.reader(orphanSeconds: 0).read().facts
            #expect(facts.problems.map(\.object) == [.store])
            #expect(facts.layers.first { $0.id == cache.id }?.kind == .inFlight)
            #expect(StoreConformance.flaws(of: facts) == [])
        }
    }

    @Test("a layer whose entry went bad keeps its directory from being an orphan")
    func damagedLayer() throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "registry:5000/team/web:2")
        try sandbox.write("../../etc", to: "\(sandbox.metadata)/layerdb/sha256/\(layer.id)/cache-id")
        let facts = sandbox.reader(orphanSeconds: 0).read().facts
        #expect(!facts.layers.contains { $0.kind == .orphan })
        #expect(facts.layers.count { $0.kind == .inFlight } == 1)
        #expect(!StoreConformance.flaws(of: facts).contains { $0.hasSuffix("counts nowhere") })
    }

    @Test("what is no directory of a layer is overhead: files, links, and what is hidden")
    func strangeEntries() throws {
        let sandbox = try StoreSandbox.small()
        try sandbox.write("x", to: sandbox.root + "/overlay2/.has-something")
        try FileManager.default.createSymbolicLink(
            atPath: sandbox.root + "/overlay2/link", withDestinationPath: "/usr")
        let facts = sandbox.reader(orphanSeconds: 0).read().facts
        #expect(facts.inOrder == sandbox.store.facts)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("an orphan by the name of another layer's id is told of")
    func nameOfLayer() throws {
        let sandbox = try StoreSandbox.small()
        let layer = try sandbox.topLayer(of: "base:1")
        _ = try leave(layer.id, in: sandbox)
        let facts = sandbox.reader(orphanSeconds: 0).read().facts
        #expect(facts.problems.map(\.severity) == [.damaged])
        #expect(facts.inOrder.layers == sandbox.store.facts.layers)
    }
}
