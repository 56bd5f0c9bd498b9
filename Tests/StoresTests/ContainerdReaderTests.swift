import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("Reading containerd's store")
struct ContainerdReaderTests {
    @Test("images, layers, blobs and containers are what was built, and each inode has its place")
    func wholeStore() throws {
        let (sandbox, base, web) = try ContainerdSandbox.small()
        let reading = sandbox.reader().read()
        let facts = reading.facts
        #expect(facts.problems.isEmpty, "\(facts.problems)")
        #expect(StoreConformance.flaws(of: facts).isEmpty, "\(StoreConformance.flaws(of: facts))")
        #expect(
            facts.store == StoreIdentity(engine: "containerd", driver: "overlayfs", root: sandbox.store.root))

        #expect(facts.images.map(\.id) == [base, web].map(\.target.hex).sorted())
        let upper = try #require(facts.images.first { $0.names == ["web:2"] })
        #expect(upper.layers == web.chains.map(\.hex))
        #expect(upper.history.map(\.layer) == web.chains.map { $0.hex } + [nil])
        #expect(upper.architecture == "amd64" && upper.os == "linux" && upper.namespace == "default")
        #expect(Set(upper.content) == Set(([web.manifest, web.config] + web.blobs).map(\.hex)))

        let images = facts.layers.filter { $0.kind == .image }
        #expect(Set(images.map(\.id)) == Set(web.chains.map(\.hex)))
        #expect(images.first { $0.id == web.chains[1].hex }?.parent == web.chains[0].hex)
        #expect(images.allSatisfy { !$0.isWritable && !$0.isFullCopy })
        let container = try #require(facts.containers.first)
        #expect(container.id == "job" && container.name == "job" && container.layer == "job")
        #expect(container.chain == web.chains.map(\.hex))
        #expect(container.imageID == web.target.hex && container.imageName == "web:2")
        #expect(container.isRunning && container.labels == ["tier": "front"])
        #expect(container.created == "2026-01-02T03:04:05Z")
        #expect(container.mounts == [MountFact(kind: .bind, source: "/etc/ssl", destination: "/ssl")])
        let layer = try #require(facts.layers.first { $0.id == "job" })
        #expect(layer.kind == .container && layer.isWritable && layer.parent == web.chains[1].hex)
        #expect(layer.directory == sandbox.snapshots() + "/3/fs")
        #expect(layer.metadata == ["io.containerd.snapshotter.v1.overlayfs/snapshots/3"])
        #expect(layer.mount?.work == sandbox.snapshots() + "/3/work")
        #expect(
            layer.mount?.merged == sandbox.store.state + "/io.containerd.runtime.v2.task/default/job/rootfs")
        #expect(
            Set(reading.databases)
                == Set(
                    [sandbox.store.metadataPath]
                        + ["overlayfs", "native"].map { sandbox.store.directory(of: $0) + "/metadata.db" }))
        #expect(reading.directories.contains(sandbox.snapshots()))
        #expect(reading.directories.allSatisfy { FileManager.default.fileExists(atPath: $0) })
    }

    @Test("blobs are content with the recorded size, whose layer is the file")
    func blobs() throws {
        let (sandbox, base, web) = try ContainerdSandbox.small()
        let content = sandbox.reader().read().facts.layers.filter { $0.kind == .content }
        let digests = Set([base.manifest, base.config, web.manifest, web.config] + base.blobs + web.blobs)
        #expect(Set(content.map(\.id)) == Set(digests.map(\.hex)))
        for digest in digests {
            let layer = try #require(content.first { $0.id == digest.hex })
            #expect(layer.directory == sandbox.store.blobPath(digest) && !layer.isWritable)
            let size = try FileManager.default.attributesOfItem(atPath: layer.directory)[.size] as? Int64
            #expect(layer.declaredSizeBytes == size)
        }
    }

    @Test("the same image in two namespaces is two directories with two ids, and one set of blobs")
    func namespaces() throws {
        let sandbox = try ContainerdSandbox()
        let reader = sandbox.reader()
        let first = try sandbox.store.addImage("base:1", [ContainerdSandbox.base], namespace: "z")
        try sandbox.store.commit()
        _ = reader.read()
        let second = try sandbox.store.addImage("base:1", [ContainerdSandbox.base], namespace: "a")
        #expect(first.target == second.target)
        try sandbox.store.addContainer("same", on: first.chains[0], namespace: "z")
        try sandbox.store.addContainer("same", on: first.chains[0], namespace: "a")
        try sandbox.store.commit()
        let facts = reader.read().facts
        #expect(facts.problems.isEmpty && StoreConformance.flaws(of: facts).isEmpty)
        let chain = first.chains[0].hex
        #expect(Set(facts.layers.filter { $0.kind == .image }.map(\.id)) == [chain, "a/\(chain)"])
        #expect(Set(facts.images.map(\.id)) == [first.target.hex, "a/\(first.target.hex)"])
        let own = try #require(facts.images.first { $0.namespace == "a" })
        #expect(own.layers == ["a/\(chain)"])
        #expect(own.content == facts.images.first { $0.namespace == "z" }?.content)
        #expect(facts.layers.filter { $0.kind == .content }.count == 3)
        #expect(
            facts.containers.map { "\($0.id) \($0.layer) \($0.chain)" }.sorted() == [
                "a/same a/same [\"a/\(chain)\"]", "same same [\"\(chain)\"]",
            ])
        // A reader that starts now finds the same ones by the order in which they were made.
        #expect(Set(sandbox.reader().read().facts.layers) == Set(facts.layers))

        // The one that stays keeps its id while the reader lives.
        try sandbox.store.removeSnapshot("same", number: 3, namespace: "z")
        sandbox.store.change(["v1", "z", "containers", "same"], to: nil)
        try sandbox.store.commit()
        let after = reader.read().facts
        #expect(after.containers.map(\.layer) == ["a/same"])
        #expect(StoreConformance.flaws(of: after).isEmpty)
        let filtered = sandbox.reader(namespace: "a").read().facts
        #expect(filtered.images.map(\.namespace) == ["a"] && StoreConformance.flaws(of: filtered).isEmpty)
    }

    @Test("native snapshots are full copies, and an image in both snapshotters has the layers of both")
    func native() throws {
        let sandbox = try ContainerdSandbox()
        let layers = [ContainerdSandbox.base, ContainerdSandbox.site]
        let image = try sandbox.store.addImage("web:2", layers)
        try sandbox.store.addImage("web:2", layers, snapshotter: "native")
        try sandbox.store.addContainer(
            "copy", image: "web:2", on: image.chains[1], content: layers[1].whole, snapshotter: "native")
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.isEmpty && StoreConformance.flaws(of: facts).isEmpty)
        let names = image.chains.map(\.hex)
        #expect(facts.images.map(\.layers) == [names + names.map { "default/\($0)" }])
        let full = facts.layers.filter(\.isFullCopy)
        #expect(Set(full.map(\.id)) == Set(names.map { "default/\($0)" } + ["copy"]))
        #expect(full.allSatisfy { $0.metadata.isEmpty && $0.mount == nil })
        #expect(full.first { $0.id == "copy" }?.directory == sandbox.snapshots("native") + "/3")
        #expect(facts.containers.first?.chain == names.map { "default/\($0)" })
    }

    @Test("an index counts its platforms' blobs that are there; its layers are those that are unpacked")
    func index() throws {
        let sandbox = try ContainerdSandbox()
        let other = try sandbox.store.addImage("other", [ContainerdSandbox.site], isUnpacked: false)
        let absent = "sha256:" + String(repeating: "ab", count: 32)
        let image = try sandbox.store.addImage(
            "multi:1", [ContainerdSandbox.base], others: [other.manifest, absent])
        sandbox.store.setImage("other", nil)
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.isEmpty && StoreConformance.flaws(of: facts).isEmpty)
        let fact = try #require(facts.images.first)
        #expect(facts.images.count == 1 && fact.id == image.target.hex && image.target != image.manifest)
        #expect(fact.layers == image.chains.map(\.hex))
        #expect(
            Set(fact.content)
                == Set(
                    ([image.target, image.manifest, image.config, other.manifest, other.config]
                        + image.blobs + other.blobs).map(\.hex)))
    }

    @Test("without its blobs the layers of an image are found by the labels that containerd left")
    func labels() throws {
        let (sandbox, _, _) = try ContainerdSandbox.small()
        let image = try sandbox.store.addImage(
            "late:1", [ContainerdSandbox.site, ContainerdSandbox.base])
        for digest in [image.manifest, image.config] + image.blobs {
            try FileManager.default.removeItem(atPath: sandbox.store.blobPath(digest))
            // The base image has the same lowest blob.
            if digest == image.blobs[1] { break }
        }
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(facts.images.first { $0.names == ["late:1"] }?.layers == image.chains.map(\.hex))
        #expect(StoreConformance.flaws(of: facts).isEmpty)
    }

    @Test("a layer that is not compressed is a blob and a snapshot of one digest, with two ids")
    func uncompressed() throws {
        let sandbox = try ContainerdSandbox()
        let image = try sandbox.store.addImage("base:1", [ContainerdSandbox.base], isCompressed: false)
        #expect(image.blobs == image.chains)
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.isEmpty && StoreConformance.flaws(of: facts).isEmpty)
        #expect(facts.layers.first { $0.id == image.chains[0].hex }?.kind == .image)
        #expect(facts.layers.first { $0.id == "content/" + image.blobs[0].hex }?.kind == .content)
        #expect(facts.images.first?.content.contains("content/" + image.blobs[0].hex) == true)
    }

    @Test("several names are one image; names by digest are none")
    func names() throws {
        let (sandbox, base, _) = try ContainerdSandbox.small()
        for name in ["also:1", "reg/base@\(base.target)", base.config] {
            sandbox.store.setImage(name, base.target)
        }
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(facts.images.first { $0.id == base.target.hex }?.names == ["also:1", "base:1"])
    }

    @Test("each snapshot has the kind that its record says, and none that the engine knows is an orphan")
    func kinds() throws {
        let (sandbox, base, _) = try ContainerdSandbox.small()
        try sandbox.store.addSnapshot("left-behind", on: base.chains[0])
        try sandbox.store.addSnapshot("extract-17-Ab= \(base.chains[0])", on: base.chains[0])
        try sandbox.store.addSnapshot("look", on: base.chains[0], kind: .view)
        try sandbox.store.addSnapshot("made-by-hand", on: base.chains[0], kind: .committed)
        try sandbox.store.addSnapshot("docker-init", on: base.chains[0], kind: .committed)
        try sandbox.store.addContainer("docker", on: "docker-init")
        let removed = try sandbox.store.addSnapshot("removed", kind: .committed, inMetadata: false)
        let made = try sandbox.store.addSnapshot("made", inMetadata: false)
        try sandbox.store.commit()
        let facts = sandbox.reader(orphanSeconds: 0).read().facts
        #expect(facts.problems.isEmpty && StoreConformance.flaws(of: facts).isEmpty)
        let kinds = Dictionary(uniqueKeysWithValues: facts.layers.map { ($0.id, $0) })
        let expected: [(String, LayerFact.Kind, Bool)] = [
            ("left-behind", .container, true), ("extract-17-Ab= \(base.chains[0])", .inFlight, true),
            ("look", .container, false), ("made-by-hand", .image, false), ("docker-init", .initial, false),
            ("docker", .container, true), ("overlayfs/\(removed)", .inFlight, false),
            ("overlayfs/\(made)", .inFlight, true),
        ]
        for (id, kind, isWritable) in expected {
            #expect(kinds[id]?.kind == kind && kinds[id]?.isWritable == isWritable, "\(id)")
        }
        let docker = try #require(facts.containers.first { $0.id == "docker" })
        #expect(docker.initLayer == "docker-init" && docker.chain == [base.chains[0].hex])
    }

    @Test("what a builder's records alone hold is build cache, in whatever namespace it works")
    func buildCache() throws {
        let (sandbox, base, web) = try ContainerdSandbox.small()
        try sandbox.store.addSnapshot("step", on: base.chains[0], kind: .committed)
        try sandbox.store.addSnapshot("on-step", on: "step")
        try sandbox.store.addSnapshot("other", on: base.chains[0])
        try sandbox.store.addSnapshot("step", kind: .committed, namespace: "buildkit")
        for name in ["on-step", "job", web.chains[1]] {
            sandbox.store.addBuildRecord("of \(name)", holding: [name])
        }
        sandbox.store.addBuildRecord("record", holding: ["step"], namespace: "buildkit")
        // A lease without the label is whoever's.
        sandbox.store.change(
            ["v1", "default", "leases", "plain", "snapshots", "overlayfs", "other"], to: .value([]))
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.isEmpty && StoreConformance.flaws(of: facts).isEmpty)
        #expect(
            Set(facts.layers.filter { $0.kind == .buildCache }.map(\.id))
                == ["step", "on-step", "buildkit/step"])
        #expect(facts.layers.first { $0.id == "other" }?.kind == .container)
        #expect(facts.layers.first { $0.id == "job" }?.kind == .container)
        #expect(facts.layers.first { $0.id == web.chains[1].hex }?.kind == .image)
    }

    @Test(
        "what no metadata names is in flight while it is young, then an orphan; what has a name for a while never is"
    )
    func orphans() throws {
        let (sandbox, _, _) = try ContainerdSandbox.small()
        for path in ["77/fs/data", "78/work", "new-123/fs", "rm-9/fs", "odd"] {
            try sandbox.makeDirectory("\(sandbox.snapshots())/\(path)")
        }
        try sandbox.makeDirectory(sandbox.snapshots("native") + "/rm-5/etc")
        let blob = sandbox.store.blobPath("sha256:" + String(repeating: "0", count: 64))
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: blob))
        let ingests = sandbox.store.root + "/io.containerd.content.v1.content/ingest"
        try sandbox.makeDirectory(ingests + "/abc")
        try Data([1]).write(to: URL(fileURLWithPath: ingests + "/abc/data"))

        let young = sandbox.reader().read()
        #expect(young.facts.problems.isEmpty)
        #expect(StoreConformance.flaws(of: young.facts).isEmpty, "\(StoreConformance.flaws(of: young.facts))")
        #expect(young.facts.layers.filter { $0.kind == .orphan }.isEmpty)
        let inFlight = young.facts.layers.filter { $0.kind == .inFlight }
        let names = ["77", "78", "new-123", "rm-9", "odd"].map { "overlayfs/\($0)" }
        #expect(
            Set(inFlight.map(\.id)) == Set(names + ["native/rm-5", String(repeating: "0", count: 64)]))
        #expect(
            young.facts.trees == [TreeFact(id: "ingest:abc", kind: .inFlight, directory: ingests + "/abc")])
        let now = Int64(Date().timeIntervalSince1970 * 1e9)
        let due = try #require(young.readAgainAt)
        #expect(due > now + 500_000_000_000 && due < now + 600_000_000_000)

        let old = sandbox.reader(orphanSeconds: 0).read()
        #expect(StoreConformance.flaws(of: old.facts).isEmpty)
        #expect(old.readAgainAt == nil)
        let orphans = old.facts.layers.filter { $0.kind == .orphan }
        #expect(
            Set(orphans.map(\.id))
                == ["overlayfs/77", "overlayfs/78", "overlayfs/odd", String(repeating: "0", count: 64)])
        #expect(orphans.allSatisfy { !$0.isWritable && abs(($0.since ?? 0) - now) < 60_000_000_000 })
        #expect(orphans.first { $0.id == "overlayfs/77" }?.directory == sandbox.snapshots() + "/77/fs")
        #expect(orphans.first { $0.id == "overlayfs/78" }?.directory == sandbox.snapshots() + "/78")
        #expect(
            Set(old.facts.layers.filter { $0.kind == .inFlight }.map(\.id))
                == ["overlayfs/new-123", "overlayfs/rm-9", "native/rm-5"])
    }

    @Test("an unpacked layer is in flight, and changes its id alone when it is committed")
    func commit() throws {
        let (sandbox, _, _) = try ContainerdSandbox.small()
        let reader = sandbox.reader()
        let image = try sandbox.store.addImage("new:1", [ContainerdSandbox.site], isUnpacked: false)
        let extract = "extract-1-x \(image.chains[0])"
        let number = try sandbox.store.addSnapshot(extract, content: ContainerdSandbox.site.content)
        // The directory is there before any record.
        let before = reader.read().facts
        #expect(before.layers.first { $0.id == "overlayfs/\(number)" }?.kind == .inFlight)
        try sandbox.store.commit()
        let during = reader.read().facts
        #expect(during.images.first { $0.names == ["new:1"] }?.layers == [])
        let key = try #require(sandbox.store.key(of: extract))
        sandbox.store.change("overlayfs", ["v1", "snapshots", key], to: nil)
        sandbox.store.change(["v1", "default", "snapshots", "overlayfs", extract], to: nil)
        let committed = "default/99/\(image.chains[0])"
        sandbox.store.change("overlayfs", ["v1", "snapshots", committed, "id"], to: .unsigned(number))
        sandbox.store.change("overlayfs", ["v1", "snapshots", committed, "kind"], to: .value([3]))
        sandbox.store.change(
            ["v1", "default", "snapshots", "overlayfs", image.chains[0], "name"], to: .text(committed))
        try sandbox.store.commit()
        let after = reader.read().facts
        let directories = [before, during, after].map { facts in
            facts.layers.first { $0.directory == sandbox.snapshots() + "/\(number)/fs" }
        }
        #expect(directories.map { $0?.kind } == [.inFlight, .inFlight, .image])
        #expect(after.images.first { $0.names == ["new:1"] }?.layers == [image.chains[0].hex])
        #expect([before, during, after].allSatisfy { $0.problems.isEmpty })
        #expect([before, during, after].allSatisfy { StoreConformance.flaws(of: $0).isEmpty })
    }

    @Test("what did not change is not parsed again, and random changes read as a new reader reads them")
    func reread() throws {
        let (sandbox, base, _) = try ContainerdSandbox.small()
        let reader = sandbox.reader()
        let first = reader.read()
        #expect(first.filesRead > 4)
        let second = reader.read()
        #expect(
            second.filesRead == 0 && second.facts == first.facts && second.directories == first.directories)

        var generator = SeededGenerator(seed: 11)
        var containers: [String: UInt64] = [:]
        for step in 0..<25 {
            if Bool.random(using: &generator) || containers.isEmpty {
                containers["c\(step)"] = try sandbox.store.addContainer("c\(step)", on: base.chains[0])
            } else if let (id, number) = containers.randomElement(using: &generator) {
                containers[id] = nil
                sandbox.store.change(["v1", "default", "containers", id], to: nil)
                try sandbox.store.removeSnapshot(id, number: number)
            }
            try sandbox.store.commit()
            let reading = reader.read()
            #expect(reading.facts == sandbox.reader().read().facts, "seed 11, step \(step)")
            #expect(
                Set(reading.facts.containers.map(\.id)) == Set(containers.keys).union(["job"]), "step \(step)"
            )
            #expect(reading.filesRead <= 3, "step \(step)")
            #expect(StoreConformance.flaws(of: reading.facts).isEmpty, "seed 11, step \(step)")
        }
    }

    @Test("a store whose databases change during each reading is unreadable, and is read when that ends")
    func alwaysChanged() async throws {
        let (sandbox, base, _) = try ContainerdSandbox.small()
        // To list so many takes longer than the pause between two transactions.
        for number in 0..<1_000 { try sandbox.makeDirectory("\(sandbox.snapshots())/new-\(number)") }
        let key = try #require(sandbox.store.key(of: base.chains[0]))
        var quiet: [StoreFacts] = []
        for size in [1, 2] as [Int64] {
            sandbox.store.change("overlayfs", ["v1", "snapshots", key, "size"], to: .signed(size))
            sandbox.store.change(
                ["v1", "default", "containers", "job", "labels", "tier"], to: .text("\(size)"))
            try sandbox.store.commit()
            quiet.append(sandbox.reader().read().facts)
        }
        // Of two databases: one is often the same again when it is looked at.
        let transactions = try [
            sandbox.store.directory(of: "overlayfs") + "/metadata.db",
            sandbox.store.root + "/io.containerd.metadata.v1.bolt/meta.db",
        ].map { try AlternatingTransactions.start(in: $0) }
        let reader = sandbox.reader()
        let reason = "the engine changed its databases during each of 8 readings"
        let readings = try await onThread { [quiet] () -> (isReached: Bool, wrong: [StoreFacts]) in
            var wrong: [StoreFacts] = []
            let end = ContinuousClock.now + .seconds(120)
            while ContinuousClock.now < end {
                let facts = reader.read().facts
                if facts.problems.isEmpty {
                    if !quiet.contains(facts) { wrong.append(facts) }
                } else if facts.problems.map(\.severity) != [.unreadable] {
                    wrong.append(facts)
                }
                if facts.problems.map(\.reason) == [reason] { return (true, wrong) }
            }
            return (false, wrong)
        }
        for transactions in transactions { try await transactions.stop() }
        #expect(readings.wrong == [])
        #expect(readings.isReached)
        #expect(quiet[0] != quiet[1] && quiet.contains(reader.read().facts))
    }

    @Test("what another snapshotter keeps is said, unless it keeps nothing")
    func otherSnapshotters() throws {
        let (sandbox, _, _) = try ContainerdSandbox.small()
        try sandbox.makeDirectory(sandbox.store.directory(of: "btrfs"))
        try sandbox.makeDirectory(sandbox.store.directory(of: "stargz"))
        let path = sandbox.store.directory(of: "stargz") + "/metadata.db"
        try Data(BoltFileBuilder().bytes).write(to: URL(fileURLWithPath: path))
        #expect(sandbox.reader().read().facts.problems.isEmpty)
        var tree = BoltTree()
        tree["v1", "snapshots", "default/1/x", "id"] = .unsigned(1)
        tree["v1", "snapshots", "default/1/x", "kind"] = .value([2])
        try Data(BoltFileBuilder(tree).bytes).write(to: URL(fileURLWithPath: path))
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.map(\.object) == [.store])
        #expect(facts.problems.first?.path.hasSuffix("stargz") == true)
        #expect(StoreConformance.flaws(of: facts).isEmpty)
    }

    @Test("a root without a store has no facts; one that is not there is unreadable")
    func absent() throws {
        let root = try DockerAbsenceTests.EmptyRoot()
        let empty = ContainerdReader(root: root.path).read()
        #expect(empty.facts.layers.isEmpty && empty.facts.problems.isEmpty)
        #expect(StoreConformance.flaws(of: empty.facts).isEmpty)
        let reading = ContainerdReader(root: root.path + "/none").read()
        #expect(reading.facts.problems.map(\.severity) == [.unreadable])
        #expect(reading.directories == [root.path])
        let opened = Stores.open(StoreLocation(kind: .containerd, path: root.path))
        #expect(opened.identity.engine == "containerd")
    }
}
