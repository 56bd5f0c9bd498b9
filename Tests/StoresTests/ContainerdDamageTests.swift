import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("Damage in containerd's store")
struct ContainerdDamageTests {
    enum Database: String, CaseIterable, Sendable {
        case metadata, overlayfs

        func path(_ store: ContainerdStoreBuilder) -> String {
            self == .metadata ? store.metadataPath : store.directory(of: rawValue) + "/metadata.db"
        }
    }

    @Test("a snapshot's directory whose name is not UTF-8 is said, escaped, and costs nothing else")
    func nameNotUTF8() throws {
        let (sandbox, _, _) = try ContainerdSandbox.small()
        let right = sandbox.reader(orphanSeconds: 0).read().facts
        let snapshots = sandbox.store.directory(of: "overlayfs") + "/snapshots"
        let path = Array(snapshots.utf8CString.dropLast()) + [0x2F, CChar(bitPattern: 0xFF), 0]
        try #require(mkdir(path, 0o755) == 0)
        defer { rmdir(path) }
        let facts = sandbox.reader(orphanSeconds: 0).read().facts
        #expect(facts.layers == right.layers)
        let told = facts.problems.filter { !right.problems.contains($0) }
        #expect(told.map(\.object) == [.store])
        #expect(told.map(\.path) == [snapshots + "/\\xff"])
        #expect(told.first?.reason == "its name is not UTF-8, so it is not accounted: remove it")
    }

    @Test(
        "a database that cannot be used makes the store unreadable, and nothing an orphan",
        arguments: Database.allCases,
        ["cut", "garbage", "empty", "missing", "link", "fifo", "directory", "pages"])
    func unusable(database: Database, how: String) throws {
        let (sandbox, _, _) = try ContainerdSandbox.small()
        let reader = sandbox.reader(orphanSeconds: 0)
        let right = reader.read().facts
        let path = database.path(sandbox.store)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        try FileManager.default.removeItem(atPath: path)
        switch how {
        case "cut": try Data(bytes.prefix(9000)).write(to: URL(fileURLWithPath: path))
        case "garbage": try Data(repeating: 0xAB, count: 30_000).write(to: URL(fileURLWithPath: path))
        case "empty": try Data().write(to: URL(fileURLWithPath: path))
        case "link": #expect(symlink("/etc/passwd", path) == 0)
        case "fifo": #expect(mkfifo(path, 0o600) == 0)
        case "directory": try sandbox.makeDirectory(path)
        case "pages":
            var broken = bytes
            for page in 2..<(bytes.count / 4096) { broken[page * 4096 + 8] = 0x77 }
            try Data(broken).write(to: URL(fileURLWithPath: path))
        default: break
        }
        for (index, reader) in [reader, sandbox.reader(orphanSeconds: 0)].enumerated() {
            let reading = reader.read()
            // Of the same transaction, as the meta page has it, the pages are not read again.
            if index == 0, how == "pages", reading.facts == right { continue }
            #expect(reading.facts.problems.map(\.severity) == [.unreadable], "\(reading.facts.problems)")
            #expect(reading.facts.problems.first?.path == path)
            #expect(reading.facts.layers.isEmpty)
            #expect(reading.directories.contains((path as NSString).deletingLastPathComponent))
        }
        try FileManager.default.removeItem(atPath: path == "" ? "/none" : path, ignoringMissing: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(reader.read().facts == right)
    }

    @Test(
        "flipped bits in the databases never make an orphan of a layer, or two of one",
        arguments: [UInt64(1), 2, 3])
    func flippedBits(seed: UInt64) throws {
        let (sandbox, _, _) = try ContainerdSandbox.small()
        var generator = SeededGenerator(seed: seed)
        for database in Database.allCases {
            let path = database.path(sandbox.store)
            let right = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            for _ in 0..<60 {
                var bytes = right
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^=
                    1 << Int.random(in: 0..<8, using: &generator)
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                let facts = sandbox.reader().read().facts
                #expect(facts.layers.allSatisfy { $0.kind != .orphan })
                #expect(Set(facts.layers.map(\.directory)).count == facts.layers.count, "seed \(seed)")
                #expect(Set(facts.layers.map(\.id)).count == facts.layers.count, "seed \(seed)")
            }
            try Data(right).write(to: URL(fileURLWithPath: path))
        }
    }

    @Test(
        "a snapshot's record that makes no sense costs that snapshot alone",
        arguments: [
            ("id", BoltTree.Node?.none), ("id", .value([0x80])),
            ("id", .value(Array(repeating: 0xFF, count: 11))),
            ("id", .unsigned(12_345)), ("id", .unsigned(.max)), ("kind", nil), ("kind", .value([9])),
            ("kind", .value([])),
            ("size", .value([0x80])), ("size", .signed(-5)), ("parent", .text("default/99/none")),
            ("parent", .value([0xFF, 0xFE])), ("id", .unsigned(1)),
        ])
    func badRecord(field: String, value: BoltTree.Node?) throws {
        let (sandbox, base, web) = try ContainerdSandbox.small()
        let right = sandbox.reader().read().facts
        let key = try #require(sandbox.store.key(of: web.chains[1]))
        sandbox.store.change("overlayfs", ["v1", "snapshots", key, field], to: value)
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(
            facts.problems.contains { $0.object == .layer(web.chains[1].hex) && $0.severity == .damaged },
            "\(facts.problems)")
        #expect(
            facts.layers.first { $0.id == base.chains[0].hex }
                == right.layers.first { $0.id == base.chains[0].hex })
        #expect(facts.layers.filter { $0.kind == .content } == right.layers.filter { $0.kind == .content })
        #expect(facts.images.count == 2 && facts.layers.contains { $0.id == "job" })
        #expect(StoreConformance.flaws(of: facts).isEmpty, "\(StoreConformance.flaws(of: facts))")
    }

    @Test("parents that lead in a circle end")
    func ring() throws {
        let (sandbox, base, web) = try ContainerdSandbox.small()
        let keys = try base.chains.map { try #require(sandbox.store.key(of: $0)) }
        let upper = try #require(sandbox.store.key(of: web.chains[1]))
        sandbox.store.change("overlayfs", ["v1", "snapshots", keys[0], "parent"], to: .text(upper))
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(Set(facts.problems.map(\.object)) == Set(web.chains.map { .layer($0.hex) }))
        #expect(StoreConformance.flaws(of: facts).isEmpty)
        #expect(facts.containers.first?.chain.count == 2)
    }

    @Test("a layer's directory that is missing is said of the layer, its image and its container")
    func missingDirectory() throws {
        let (sandbox, _, web) = try ContainerdSandbox.small()
        try FileManager.default.removeItem(atPath: sandbox.snapshots() + "/2")
        try FileManager.default.removeItem(atPath: sandbox.snapshots() + "/3")
        let facts = sandbox.reader().read().facts
        #expect(
            Set(facts.problems.map(\.object))
                == [.layer(web.chains[1].hex), .layer("job"), .image(web.target.hex), .container("job")])
        #expect(facts.containers.isEmpty)
        #expect(facts.images.first { $0.names == ["web:2"] }?.layers == [web.chains[0].hex])
        #expect(StoreConformance.flaws(of: facts).isEmpty)
    }

    @Test(
        "a blob of JSON that is wrong is said, and costs its image's description alone",
        arguments: ["cut", "garbage", "empty", "deep", "giant", "link", "fifo", "other"])
    func badBlob(how: String) throws {
        let (sandbox, _, web) = try ContainerdSandbox.small()
        let right = sandbox.reader().read().facts
        let path = sandbox.store.blobPath(web.config)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        try FileManager.default.removeItem(atPath: path)
        switch how {
        case "cut": try bytes.prefix(50).write(to: URL(fileURLWithPath: path))
        case "garbage": try Data("not json".utf8).write(to: URL(fileURLWithPath: path))
        case "deep": try Data(repeating: 0x5B, count: 200_000).write(to: URL(fileURLWithPath: path))
        case "giant": try Data(count: 9 << 20).write(to: URL(fileURLWithPath: path))
        case "link": #expect(symlink("/etc/passwd", path) == 0)
        case "fifo": #expect(mkfifo(path, 0o600) == 0)
        case "other": try Data("{}".utf8).write(to: URL(fileURLWithPath: path))
        default: try Data().write(to: URL(fileURLWithPath: path))
        }
        let facts = sandbox.reader().read().facts
        #expect(
            facts.problems.contains { $0.object == .image(web.target.hex) && $0.path == path },
            "\(facts.problems)")
        // Its layers are not found by a label here, since the test's image was not unpacked under that name.
        #expect(facts.containers.map(\.chain) == right.containers.map(\.chain))
        #expect(facts.layers.map(\.id) == right.layers.map(\.id))
        #expect(
            facts.images.first { $0.names == ["base:1"] } == right.images.first { $0.names == ["base:1"] })
    }

    @Test(
        "an image's target that is no digest, or is not there, leads nowhere",
        arguments: [
            "../../../../etc/passwd", "sha256:../../x", "sha256:", "",
            "sha256:" + String(repeating: "1", count: 64),
        ])
    func badTarget(target: String) throws {
        let (sandbox, _, _) = try ContainerdSandbox.small()
        sandbox.store.setImage("bad:1", target)
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        let image = try #require(facts.images.first { $0.names == ["bad:1"] })
        #expect(image.layers.isEmpty && image.content.isEmpty)
        #expect(facts.problems.map(\.object) == [.image(image.id)])
        #expect(facts.problems.first?.severity == .pending)
        #expect(StoreConformance.flaws(of: facts).isEmpty)
    }

    @Test("indexes that refer to each other end")
    func indexRing() throws {
        let (sandbox, _, _) = try ContainerdSandbox.small()
        // No digest can be in what it is of, so a ring has to go by labels.
        let names = ["aa", "bb"].map { "sha256:" + String(repeating: $0, count: 32) }
        for (name, other) in [(names[0], names[1]), (names[1], names[0])] {
            let path = ["v1", "default", "content", "blob", name]
            sandbox.store.change(path + ["size"], to: .signed(5))
            sandbox.store.change(path + ["labels", "containerd.io/gc.ref.content.m.0"], to: .text(other))
            sandbox.store.change(path + ["labels", "containerd.io/gc.ref.content.m.1"], to: .text(name))
        }
        sandbox.store.setImage("ring:1", names[0])
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(facts.images.first { $0.names == ["ring:1"] }?.layers == [])
        #expect(StoreConformance.flaws(of: facts).isEmpty)
    }

    @Test("a container whose snapshot is not there is said, and may still come")
    func missingSnapshot() throws {
        let (sandbox, _, _) = try ContainerdSandbox.small()
        sandbox.store.change(["v1", "default", "containers", "job", "snapshotKey"], to: .text("gone"))
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.object) == [.container("job")])
        #expect(facts.problems.first?.severity == .pending)
        #expect(facts.layers.first { $0.id == "job" }?.kind == .container)
        sandbox.store.change(["v1", "default", "containers", "job", "snapshotter"], to: .text("stargz"))
        sandbox.store.change(["v1", "default", "containers", "job", "spec"], to: .value([0xFF, 0xFF]))
        try sandbox.store.commit()
        #expect(sandbox.reader().read().facts.problems.map(\.severity) == [.damaged])
    }
}

extension FileManager {
    func removeItem(atPath path: String, ignoringMissing: Bool) throws {
        var status = stat()
        if lstat(path, &status) == 0 { try removeItem(atPath: path) }
    }
}
