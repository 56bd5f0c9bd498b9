import Accounting
import Foundation
import Kernel
import Stores
import Testing
import UsageTestKit

@Suite("Reading a Docker store with the images in containerd")
struct DockerSnapshotterTests {
    typealias Sandbox = DockerSnapshotterSandbox

    private func flaws(_ facts: StoreFacts) -> [String] { StoreConformance.flaws(of: facts) }

    @Test(
        "containers, images, layers and volumes are what was built, and each inode has its place",
        arguments: Sandbox.Owner.allCases)
    func wholeStore(owner: Sandbox.Owner) throws {
        let (sandbox, base, web, container) = try Sandbox.small(owner)
        let reading = sandbox.reader().read()
        let facts = reading.facts
        #expect(facts.problems.isEmpty, "\(facts.problems)")
        #expect(flaws(facts).isEmpty, "\(flaws(facts))")
        #expect(
            facts.store == StoreIdentity(engine: "docker", driver: "overlayfs", root: sandbox.store.root))

        #expect(facts.containers == [container])
        let images = Dictionary(uniqueKeysWithValues: facts.images.map { ($0.id, $0) })
        #expect(images.count == 2)
        #expect(images[base.target.hex]?.names == ["base:1"])
        let upper = try #require(images[web.target.hex])
        #expect(upper.names == ["team/web:2"] && upper.layers == web.chains.map(\.hex))
        #expect(upper.history.map(\.layer) == web.chains.map { $0.hex } + [nil])
        #expect(Set(upper.content) == Set(([web.manifest, web.config] + web.blobs).map(\.hex)))

        let layers = Dictionary(uniqueKeysWithValues: facts.layers.map { ($0.id, $0) })
        #expect(
            Set(layers.values.filter { $0.kind == .image }.map(\.id)) == Set(web.chains.map(\.hex)))
        let initial = try #require(layers[container.id + "-init"])
        #expect(initial.kind == .initial && initial.parent == web.chains[1].hex && !initial.isWritable)
        let writable = try #require(layers[container.id])
        #expect(writable.kind == .container && writable.isWritable && writable.parent == initial.id)
        #expect(writable.directory == sandbox.snapshots(4) + "/fs")
        #expect(
            writable.mount
                == OverlayMount(
                    merged: "\(sandbox.store.root)/rootfs/overlayfs/\(container.id)",
                    work: sandbox.snapshots(4) + "/work"))
        #expect(layers.values.filter { $0.kind == .content }.count == 6)

        let trees = Dictionary(uniqueKeysWithValues: facts.trees.map { ($0.id, $0) })
        #expect(Set(trees.keys) == ["log:\(container.id)", "volume:data", "in-flight:tmp"])
        #expect(facts.volumes.map(\.name) == ["data"] && facts.volumes.first?.tree == "volume:data")
        #expect(reading.directories.allSatisfy { FileManager.default.fileExists(atPath: $0) })
        #expect(reading.databases.contains(sandbox.store.containerd.metadataPath))
        #expect(reading.directories.contains(sandbox.store.root + "/containers/" + container.id))
    }

    @Test("with the snapshotter native, layers are full copies and nothing is mounted")
    func native() throws {
        let (sandbox, _, web, container) = try Sandbox.small(snapshotter: "native")
        let facts = sandbox.facts()
        #expect(facts.problems.isEmpty && flaws(facts).isEmpty, "\(facts.problems) \(flaws(facts))")
        #expect(facts.store.driver == "native")
        #expect(facts.containers.first?.chain == web.chains.map(\.hex))
        let layer = try #require(facts.layers.first { $0.id == container.id })
        #expect(layer.isFullCopy && layer.mount == nil)
    }

    @Test("what did not change is not parsed again, and random changes read as a new reader reads them")
    func reread() throws {
        let (sandbox, base, web, _) = try Sandbox.small()
        let reader = sandbox.reader()
        let first = reader.read()
        #expect(first.filesRead > 4)
        let second = reader.read()
        #expect(second.filesRead == 0 && second.facts == first.facts)

        var generator = SeededGenerator(seed: 5)
        var containers = Set(first.facts.containers.map(\.id))
        for step in 0..<20 {
            if Bool.random(using: &generator) || containers.isEmpty {
                let image = Bool.random(using: &generator) ? base : web
                containers.insert(try sandbox.store.addContainer(named: "c\(step)", on: image).id)
            } else if let id = containers.sorted().randomElement(using: &generator) {
                containers.remove(id)
                try sandbox.store.removeContainer(id)
            }
            let facts = reader.read().facts
            #expect(facts == sandbox.facts(), "seed 5, step \(step)")
            #expect(Set(facts.containers.map(\.id)) == containers, "seed 5, step \(step)")
            #expect(flaws(facts).isEmpty, "seed 5, step \(step)")
        }
    }

    @Test(
        "what BuildKit's records alone hold is build cache, with what it lies on; images and containers keep theirs"
    )
    func buildCache() throws {
        let (sandbox, base, web, container) = try Sandbox.small()
        try sandbox.store.containerd.addSnapshot(
            "step1", on: base.chains[0], content: ContainerdSandbox.site.content, kind: .committed,
            namespace: "moby")
        try sandbox.store.containerd.addSnapshot(
            "step2", on: "step1", content: ContainerdSandbox.site.content, kind: .committed, namespace: "moby"
        )
        try sandbox.store.containerd.addSnapshot("running", on: "step2", namespace: "moby")
        try sandbox.store.containerd.addSnapshot("look", on: "step1", kind: .view, namespace: "moby")
        try sandbox.store.containerd.addSnapshot("unleased", on: base.chains[0], namespace: "moby")
        for (record, name) in [
            ("step2", "step2"), ("running", "running"), ("look-view", "look"), ("of-image", web.chains[1]),
            ("of-container", container.id), ("gone", "nothing"),
        ] { sandbox.store.containerd.addBuildRecord(record, holding: [name], namespace: "moby") }
        sandbox.store.containerd.change(
            ["v1", "moby", "leases", "of-image", "content", web.config], to: .value([]))
        try sandbox.store.containerd.commit()
        let facts = sandbox.facts()
        #expect(facts.problems.isEmpty && flaws(facts).isEmpty)
        let cache = facts.layers.filter { $0.kind == .buildCache }
        #expect(
            Dictionary(uniqueKeysWithValues: cache.map { ($0.id, $0.isWritable) })
                == ["step1": false, "step2": false, "running": true, "look": false])
        // An image's layer that a record holds stays with the record.
        #expect(
            Set(facts.layers.filter(\.isCached).map(\.id)) == Set(web.chains.map(\.hex) + [web.config.hex]))
        #expect(facts.layers.first { $0.id == "unleased" }?.kind == .container)
        #expect(facts.layers.first { $0.id == container.id }?.kind == .container)
    }

    @Test("an untagged image is told without a name, with the image that Docker's builder built it on")
    func parents() throws {
        let (sandbox, base, web, _) = try Sandbox.small()
        sandbox.store.containerd.setImage(
            "moby-dangling@\(base.target)", base.target, namespace: "moby")
        sandbox.store.containerd.setImage("docker.io/library/base:1", nil, namespace: "moby")
        // The name that containerd's own command gives, and the one that it stands for.
        sandbox.store.containerd.setImage("team/web:2", web.target, namespace: "moby")
        for (name, parent) in [
            ("docker.io/team/web:2", base.target), ("moby-dangling@\(base.target)", base.target),
        ] {
            sandbox.store.containerd.change(
                ["v1", "moby", "images", name, "labels", "org.mobyproject.image.parent"], to: .text(parent))
        }
        try sandbox.store.containerd.commit()
        let facts = sandbox.facts()
        #expect(facts.images.first { $0.id == base.target.hex }?.names == [])
        #expect(facts.images.first { $0.id == web.target.hex }?.parent == base.target.hex)
        #expect(facts.images.first { $0.id == web.target.hex }?.names == ["team/web:2"])
        // One that leads to itself has none.
        #expect(facts.images.first { $0.id == base.target.hex }?.parent == nil)
    }

    @Test("other namespaces of the same containerd are told as well, under names of their own")
    func namespaces() throws {
        let (sandbox, base, web, container) = try Sandbox.small(.host)
        let other = try sandbox.store.containerd.addImage(
            "docker.io/library/base:1", [ContainerdSandbox.base], namespace: "k8s.io")
        #expect(other.target == base.target)
        try sandbox.store.containerd.addContainer("pod", on: base.chains[0], namespace: "k8s.io")
        // The engine's runtime has a record of a container that runs, without a snapshot.
        sandbox.store.containerd.change(
            ["v1", "moby", "containers", container.id, "snapshotKey"], to: .text(""))
        try sandbox.store.containerd.commit()
        let facts = sandbox.facts()
        #expect(facts.problems.isEmpty && flaws(facts).isEmpty, "\(facts.problems) \(flaws(facts))")
        #expect(Set(facts.containers.map(\.id)) == [container.id, "pod"])
        let own = try #require(facts.containers.first { $0.id == container.id })
        #expect(facts.images.contains { $0.id == own.imageID && $0.names == ["team/web:2"] })
        #expect(own.imageID == web.target.hex)
        let names = facts.images.filter { $0.id.hasSuffix(base.target.hex) }.map {
            $0.names + [$0.namespace ?? ""]
        }
        #expect(Set(names) == [["base:1", ""], ["docker.io/library/base:1", "k8s.io"]])
    }

    @Test("an engine that maps user ids has a root, and a namespace, of its own")
    func mapped() throws {
        let sandbox = try Sandbox(root: "docker/231072.231072")
        #expect(sandbox.store.root.hasSuffix("/docker/231072.231072"))
        sandbox.store = try DockerSnapshotterBuilder(
            root: sandbox.store.root, namespace: "moby-231072.231072")
        let image = try sandbox.store.addImage("docker.io/library/base:1", [ContainerdSandbox.base])
        let container = try sandbox.store.addContainer(named: "one", on: image)
        let facts = sandbox.facts()
        #expect(facts.problems.isEmpty && flaws(facts).isEmpty)
        #expect(facts.images.map(\.names) == [["base:1"]])
        #expect(facts.containers == [container])
        let file = sandbox.directory + "/daemon.json"
        try Data(#"{"data-root":"\#(sandbox.directory)/docker"}"#.utf8).write(to: URL(fileURLWithPath: file))
        let found = StoreDetection.locations(daemonJSON: file, containersStorage: nil, containerd: nil)
        #expect(found.locations == [sandbox.location])
    }

    // MARK: What goes

    /// What `du` would say of the roots but for the databases, which never shrink.
    private func walked(_ sandbox: Sandbox) throws -> Int64 {
        var seen: Set<UInt64> = []
        var sum: Int64 = 0
        for path in [sandbox.directory]
            + (FileManager.default.enumerator(atPath: sandbox.directory)?.compactMap { $0 as? String } ?? [])
            .map({ sandbox.directory + "/" + $0 }) where !path.hasSuffix(".db")
        {
            var status = stat()
            guard lstat(path, &status) == 0, seen.insert(UInt64(status.st_ino)).inserted else { continue }
            sum += Int64(status.st_blocks) * 512
        }
        return sum
    }

    @Test(
        "what the engine removes takes exactly the blocks that the facts said belong to it",
        arguments: Sandbox.Owner.allCases)
    func removal(owner: Sandbox.Owner) throws {
        let (sandbox, base, web, container) = try Sandbox.small(owner)
        try Data(count: 30_000).write(to: URL(fileURLWithPath: container.logPath ?? ""))
        var before = sandbox.facts()
        var walk = try StoreWalk(before)
        var all = try walked(sandbox)
        try sandbox.store.removeContainer(container.id)
        var after = sandbox.facts()
        #expect(after.containers.isEmpty)
        #expect(walk.bytes(goneFrom: before, to: after) == all - (try walked(sandbox)))
        #expect(walk.bytes(goneFrom: before, to: after) > 35_000)

        before = after
        walk = try StoreWalk(before)
        all = try walked(sandbox)
        sandbox.store.containerd.setImage("docker.io/team/web:2", nil, namespace: "moby")
        try sandbox.store.containerd.removeSnapshot(web.chains[1], number: 2, namespace: "moby")
        for blob in [web.manifest, web.config, web.blobs[1]] {
            try sandbox.store.containerd.removeBlob(blob, namespace: "moby")
        }
        try sandbox.store.containerd.commit()
        after = sandbox.facts()
        #expect(after.images.map(\.id) == [base.target.hex])
        #expect(walk.bytes(goneFrom: before, to: after) == all - (try walked(sandbox)))
    }

    // MARK: Drivers

    @Test(
        "an engine that goes from a graph driver to containerd shows its new objects; what it left is overhead"
    )
    func changesFromGraphDriver() throws {
        let old = try StoreSandbox.small()
        let reader = old.reader()
        #expect(reader.read().facts.problems.isEmpty)
        var store = try DockerSnapshotterBuilder(root: old.root)
        let image = try store.addImage("docker.io/library/new:1", [ContainerdSandbox.base])
        let container = try store.addContainer(named: "new-1", on: image)
        let problems = reader.read().facts.problems
        #expect(problems.map(\.severity) == [.unreadable])
        #expect(problems.first?.reason.contains("'overlayfs'") == true)

        let opened = Stores.open(StoreLocation(kind: .docker, path: old.root))
        #expect(opened.identity.driver == "overlayfs" && Stores.isThere(opened.identity))
        let facts = opened.read().facts
        #expect(facts.problems.isEmpty, "\(facts.problems)")
        #expect(flaws(facts).isEmpty, "\(flaws(facts))")
        #expect(facts.images.map(\.names) == [["new:1"]])
        #expect(facts.containers == [container])
        #expect(facts.layers.allSatisfy { !$0.directory.contains("/overlay2/") })
        // The log of the container that it left is a log still.
        #expect(facts.trees.filter { $0.kind == .log }.count == 2)

        // It goes back: each start makes something in the driver's directory.
        try FileManager.default.createDirectory(
            atPath: old.root + "/overlay2/check", withIntermediateDirectories: false)
        try FileManager.default.removeItem(atPath: old.root + "/overlay2/check")
        #expect(opened.read().facts.problems.first?.reason.contains("'overlay2'") == true)
        #expect(Stores.open(StoreLocation(kind: .docker, path: old.root)).identity.driver == "overlay2")
        let again = reader.read().facts
        #expect(again.problems.isEmpty && flaws(again).isEmpty)
        #expect(again.containers.map(\.name) == ["web-1"])
    }

    @Test("a graph driver's engine keeps a containerd for its runtime, which is overhead")
    func runtimeContainerd() throws {
        let sandbox = try StoreSandbox.small()
        let before = sandbox.reader().read().facts
        for path in ["io.containerd.metadata.v1.bolt", "io.containerd.snapshotter.v1.overlayfs/snapshots"] {
            try sandbox.makeDirectory("\(sandbox.root)/containerd/daemon/\(path)")
        }
        try Data(BoltFileBuilder().bytes).write(
            to: URL(
                fileURLWithPath: sandbox.root + "/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db"))
        let opened = Stores.open(StoreLocation(kind: .docker, path: sandbox.root))
        #expect(opened.identity.driver == "overlay2")
        let facts = sandbox.reader().read().facts
        #expect(facts == before && flaws(facts).isEmpty)
    }

    @Test("of two containerds it is the one that has the engine's images")
    func twoContainerds() async throws {
        let (sandbox, _, _, container) = try Sandbox.small(.host)
        // What the engine's own has from when the host's did not run.
        var own = try ContainerdStoreBuilder(
            root: sandbox.store.root + "/containerd/daemon", state: sandbox.directory + "/own")
        let reader = sandbox.reader()
        #expect(reader.read().facts.containers == [container])
        try own.addImage("docker.io/library/old:1", [ContainerdSandbox.site], namespace: "default")
        try own.commit()
        var facts = reader.read().facts
        #expect(facts.containers == [container] && facts.images.count == 2)
        #expect(flaws(facts).isEmpty, "\(flaws(facts))")
        // Of two that have some, the one that changed last.
        try own.addImage("docker.io/library/old:1", [ContainerdSandbox.site], namespace: "moby")
        try own.commit()
        facts = reader.read().facts
        #expect(facts.images.contains { $0.names == ["old:1"] })
        #expect(facts.images.allSatisfy { !$0.names.contains("base:1") })
        let change = try FileStatus.of(path: own.metadataPath).changed
        try await wait(until: "a change to have a later time") { changeTimeNanoseconds() > change }
        try sandbox.store.addContainer(named: "later", on: nil)
        facts = reader.read().facts
        #expect(Set(facts.containers.map(\.name)) == ["web-1", "later"])
        #expect(facts.problems.isEmpty && flaws(facts).isEmpty, "\(facts.problems) \(flaws(facts))")
    }

    // MARK: Detection

    @Test("the containerd that has the images of Docker is no store of its own, and is one again without")
    func detection() throws {
        let (sandbox, _, _, _) = try Sandbox.small(.host)
        let file = sandbox.directory + "/daemon.json"
        try Data(#"{"data-root":"\#(sandbox.store.root)"}"#.utf8).write(to: URL(fileURLWithPath: file))
        func found() -> [StoreLocation] {
            StoreDetection.locations(
                daemonJSON: file, containersStorage: nil, containerd: sandbox.detection
            ).locations
        }
        let containerd = StoreLocation(kind: .containerd, path: sandbox.directory + "/containerd")
        #expect(found() == [sandbox.location])
        // The engine uses its own from now on.
        var own = try ContainerdStoreBuilder(
            root: sandbox.store.root + "/containerd/daemon", state: sandbox.directory + "/own")
        try own.addImage("docker.io/library/new:1", [ContainerdSandbox.site], namespace: "moby")
        try own.commit()
        #expect(found() == [sandbox.location, containerd])
    }

    @Test("of stores that overlap by containerd the other one is named")
    func overlaps() throws {
        let (sandbox, _, _, _) = try Sandbox.small(.host)
        let root = sandbox.directory
        func refused(_ arguments: String...) throws -> [String] {
            let locations = try arguments.map {
                try StoreLocation(parsing: $0.replacing("=", with: "=\(root)/"))
            }
            return Stores.overlaps(locations, containerd: sandbox.detection).map {
                "\($0.location) \($0.other) \($0.kind)".replacing("\(root)/", with: "")
            }
        }
        let expected = ["containerd=containerd docker=docker containerd"]
        #expect(try refused("docker=docker", "containerd=containerd") == expected)
        #expect(try refused("containerd=containerd", "docker=docker") == expected)
        #expect(try refused("docker=docker", "containerd=other").isEmpty)
        #expect(
            try refused("plain=containerd/x", "docker=docker")
                == ["plain=containerd/x docker=docker containerd"])
        let second = try DockerSnapshotterBuilder(root: root + "/second", containerd: root + "/containerd")
        try FileManager.default.removeItem(atPath: second.root + "/volumes")
        #expect(
            try refused("docker=docker", "docker=second")
                == ["docker=second docker=docker containerd"])
    }

    // MARK: Damage

    @Test("a container whose snapshot is not there is told, once it had the time to get one")
    func snapshotMissing() throws {
        let (sandbox, _, _, container) = try Sandbox.small()
        try sandbox.store.removeContainer(container.id, leavingDirectory: true)
        let young = sandbox.facts()
        #expect(young.containers.isEmpty)
        #expect(young.problems.map(\.object) == [.container(container.id)])
        #expect(young.problems.first?.severity == .pending && flaws(young).isEmpty)
        #expect(young.trees.contains { $0.id == "log:\(container.id)" })
        let old = sandbox.facts(graceSeconds: 0)
        #expect(old.containers.map(\.name) == ["web-1"] && old.containers.first?.layer == "")
        #expect(old.images.count == 2 && old.containers.first?.trees == ["log:\(container.id)"])
        #expect(old.problems.first?.reason.contains("no snapshot") == true)
    }

    @Test("a container whose directory is not there is told by its id, with its layers")
    func directoryMissing() throws {
        let (sandbox, _, web, container) = try Sandbox.small()
        try sandbox.remove(sandbox.store.root + "/containers/" + container.id)
        #expect(sandbox.facts().containers.isEmpty && flaws(sandbox.facts()).isEmpty)
        let facts = sandbox.facts(graceSeconds: 0)
        #expect(facts.containers.map(\.name) == [String(container.id.prefix(12))])
        #expect(facts.containers.first?.chain == web.chains.map(\.hex))
        #expect(facts.problems.first?.reason.contains("cut short") == true && flaws(facts).isEmpty)
    }

    @Test(
        "bad metadata of one container leaves all else as it is",
        arguments: ["", "{", #"{"Image":"none","Driver":"overlayfs"}"#])
    func badConfiguration(text: String) throws {
        let (sandbox, base, _, container) = try Sandbox.small()
        let other = try sandbox.store.addContainer(named: "other", on: base)
        let path = "\(sandbox.store.root)/containers/\(container.id)/config.v2.json"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let facts = sandbox.facts(graceSeconds: 0)
        #expect(facts.containers.contains(other))
        #expect(facts.problems.allSatisfy { $0.object == .container(container.id) && $0.path == path })
        #expect(!facts.problems.isEmpty && flaws(facts).isEmpty)
        #expect(facts.layers.contains { $0.id == container.id && $0.kind == .container })
    }

    @Test("containers of a graph driver have no layer here and are left out")
    func otherDriversContainer() throws {
        let (sandbox, _, _, container) = try Sandbox.small()
        let id = String(repeating: "ab", count: 32)
        let directory = "\(sandbox.store.root)/containers/\(id)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        try Data(#"{"ID":"\#(id)","Name":"/old","Driver":"overlay2"}"#.utf8).write(
            to: URL(fileURLWithPath: directory + "/config.v2.json"))
        let facts = sandbox.facts(graceSeconds: 0)
        #expect(facts.containers == [container] && facts.problems.isEmpty && flaws(facts).isEmpty)
    }

    @Test(
        "without containerd's root or database the store as a whole is unreadable, not empty",
        arguments: ["", "/io.containerd.metadata.v1.bolt/meta.db", "/io.containerd.snapshotter.v1.overlayfs"])
    func missingParts(path: String) throws {
        let (sandbox, _, _, _) = try Sandbox.small()
        try sandbox.remove(sandbox.store.containerd.root + path)
        let reading = sandbox.reader().read()
        #expect(reading.facts.problems.map(\.severity).contains(.unreadable))
        #expect(reading.directories.allSatisfy { FileManager.default.fileExists(atPath: $0) })
    }

    @Test(
        "databases that are cut or overwritten make the store unreadable or change nothing, and never end it")
    func damagedDatabase() throws {
        var generator = SeededGenerator(seed: 8)
        let (sandbox, _, _, _) = try Sandbox.small()
        let path = sandbox.store.containerd.metadataPath
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for step in 0..<60 {
            var bytes = whole
            for _ in 0..<8 { bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 0x55 }
            try bytes.write(to: URL(fileURLWithPath: path))
            let facts = sandbox.facts(graceSeconds: 0)
            if !facts.problems.contains(where: { $0.severity == .unreadable }) {
                let bad = flaws(facts).filter { !$0.contains("lies on what is no layer") }
                #expect(bad.isEmpty, "seed 8, step \(step): \(bad)")
            }
        }
    }
}
