import Accounting
import Foundation
import Testing
import UsageTestKit

@testable import Stores

@Suite("A store of containers-storage")
struct ContainersStorageReaderTests {
    @Test("a whole store reads as what was built, and each inode counts once", arguments: ["overlay", "vfs"])
    func wholeStore(driver: String) throws {
        let sandbox = try ContainersStorageSandbox.small(driver: driver)
        let reading = sandbox.reader().read()
        #expect(reading.facts.sorted == sandbox.store.facts)
        #expect(StoreConformance.flaws(of: reading.facts) == [])
        #expect(reading.facts.layers.allSatisfy { $0.isFullCopy == (driver == "vfs") })
        #expect(reading.readAgainAt == nil)
        for directory in reading.directories {
            #expect(FileManager.default.fileExists(atPath: directory), "\(directory)")
        }
    }

    @Test("the kinds of layers follow from who names them")
    func kinds() throws {
        let sandbox = try ContainersStorageSandbox.small()
        // A container that is not named yet, and an image that is not.
        let writable = try sandbox.store.addLayer(LayerContent(), kind: .inFlight)
        let pulled = try sandbox.store.addLayer(LayerContent(files: [.init("f", size: 5)]))
        let facts = sandbox.reader().read().facts
        #expect(facts.sorted == sandbox.store.facts)
        #expect(facts.layers.first { $0.id == writable.id }?.isWritable == true)
        #expect(facts.layers.first { $0.id == pulled.id }?.kind == .image)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("a layer that the engine calls incomplete is in flight, and missed only if it is whole")
    func incompleteLayer() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let layer = try sandbox.store.addLayer(LayerContent(files: [.init("f", size: 5)]))
        let list = sandbox.store.list("layers")
        let text = try sandbox.text(list).replacing(
            "\"id\":\"\(layer.id)\"", with: "\"flags\":{\"incomplete\":true},\"id\":\"\(layer.id)\"")
        try sandbox.replace(list, with: text)
        let facts = sandbox.reader().read().facts
        #expect(facts.layers.first { $0.id == layer.id }?.kind == .inFlight)
        #expect(facts.problems.isEmpty)
        try FileManager.default.removeItem(atPath: "\(sandbox.store.root)/overlay/\(layer.id)")
        let gone = sandbox.reader().read().facts
        #expect(gone.problems.isEmpty)
        #expect(!gone.layers.contains { $0.id == layer.id })
    }

    @Test(
        "an image's copies for mapped user ids are of the image, and a container on one has it in its chain")
    func mappedLayers() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let web = try sandbox.image("registry:5000/team/web:2")
        let content = LayerContent(files: [.init("usr/bin/web", size: 9999)])
        let copy = try #require(try sandbox.store.mapLayer(of: web.id, content))
        var lying = web
        lying.layers = web.layers.dropLast() + [copy.id]
        try sandbox.store.addContainer(named: "mapped", on: lying)
        let facts = sandbox.reader().read().facts
        #expect(facts.sorted == sandbox.store.facts)
        #expect(facts.images.first { $0.id == web.id }?.content == [copy.id])
        #expect(facts.containers.first { $0.name == "mapped" }?.chain.last == copy.id)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("a container on nothing has no chain, and one that was not started no mounts and no log")
    func containerOnNothing() throws {
        let sandbox = try ContainersStorageSandbox()
        try sandbox.store.addContainer(named: "scratch", on: nil)
        let facts = sandbox.reader().read().facts
        #expect(facts.sorted == sandbox.store.facts)
        #expect(facts.containers.first?.isRunning == false)
    }

    @Test("a list of images has no layers, no history, and is no damage")
    func listOfImages() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let id = sandbox.store.newID()
        let list = sandbox.store.list("images")
        let record = #"[{"id":"\#(id)","names":["many"],"big-data-names":["manifest"]},"#
        try sandbox.replace(list, with: record + sandbox.text(list).dropFirst())
        let directory = "\(sandbox.store.root)/overlay-images/\(id)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: directory + "/manifest"))
        let facts = sandbox.reader().read().facts
        #expect(facts.problems.isEmpty)
        let image = try #require(facts.images.first { $0.id == id })
        #expect(image.layers.isEmpty && image.history.isEmpty)
        #expect(image.metadata == ["overlay-images/\(id)"])
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test(
        "a directory that no list names is in flight, and after the time of grace an orphan since its last change"
    )
    func unknownDirectory() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let id = sandbox.store.newID()
        let directory = "\(sandbox.store.root)/overlay/\(id)"
        try FileManager.default.createDirectory(
            atPath: directory + "/diff/usr", withIntermediateDirectories: true)
        let young = sandbox.reader().read()
        let layer = try #require(young.facts.layers.first { $0.id == id })
        #expect(layer.kind == .inFlight && layer.isWritable && layer.since == nil)
        #expect(layer.directory == directory)
        let due = try #require(young.readAgainAt)
        let old = sandbox.reader(orphanSeconds: 0).read()
        let orphan = try #require(old.facts.layers.first { $0.id == id })
        #expect(orphan.kind == .orphan && !orphan.isWritable)
        #expect(orphan.since == due - 600_000_000_000)
        #expect(old.readAgainAt == nil)
        for facts in [young.facts, old.facts] {
            #expect(facts.problems.isEmpty)
            #expect(StoreConformance.flaws(of: facts) == [])
            #expect(facts.layers.count == sandbox.store.layers.count + 1)
        }
    }

    @Test("the engine's own directories beside the layers are none, and what is on its way is told as such")
    func ownDirectories() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let data = sandbox.store.root + "/overlay"
        for path in ["staging/abc/dir", "tempdirs/temp-1/0-x", "compat123/diff", "compat123/merged"] {
            try FileManager.default.createDirectory(
                atPath: "\(data)/\(path)", withIntermediateDirectories: true)
        }
        try Data("true".utf8).write(to: URL(fileURLWithPath: data + "/.has-mount-program"))
        let facts = sandbox.reader(orphanSeconds: 0).read().facts
        #expect(facts.layers.count == sandbox.store.layers.count)
        #expect(
            Set(facts.trees.filter { $0.kind == .inFlight }.map(\.directory)) == [
                data + "/staging", data + "/tempdirs",
            ])
        #expect(facts.problems.isEmpty)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("names that no engine gives count as overhead, and nothing counts twice or not at all")
    func oddNames() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let root = sandbox.store.root
        for path in [
            "overlay/UPPER/diff/a", "volumes/-x/_data/a", "overlay-containers/A B/userdata", "volumes/empty",
        ] {
            try FileManager.default.createDirectory(
                atPath: "\(root)/\(path)", withIntermediateDirectories: true)
        }
        try Data("log".utf8).write(
            to: URL(fileURLWithPath: root + "/overlay-containers/A B/userdata/ctr.log"))
        let name = Array("\(root)/overlay/".utf8CString.dropLast()) + [CChar(bitPattern: 0xFF), 0]
        #expect(mkdir(name, 0o755) == 0)
        defer { rmdir(name) }
        let facts = sandbox.reader(orphanSeconds: 0).read().facts
        #expect(facts.sorted == sandbox.store.facts)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("what goes with an object is not in one group with the lists, whatever the id begins with")
    func groups() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let facts = sandbox.reader().read().facts
        let groups = try #require(facts.overhead).groups
        func isGroup(_ path: String) -> Bool {
            groups.contains { $0.matches(path.split(separator: "/").map { Array($0.utf8) }) }
        }
        for path in [
            "overlay/l", "overlay-layers/layers.json", "overlay-layers/layers.lock",
            "overlay-images/images.json",
            "overlay-containers/containers.json", "overlay-containers/volatile-containers.json", "overlay",
        ] {
            #expect(!isGroup(path), "\(path)")
        }
        for digit in "0123456789abcdef" {
            let id = "\(digit)" + String(repeating: "c", count: 63)
            for directory in ["overlay", "overlay-layers", "overlay-images", "overlay-containers"] {
                #expect(isGroup("\(directory)/\(id)"), "\(directory)")
            }
        }
    }

    @Test("the log that a removed container left is a log still")
    func logWithoutContainer() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let id = sandbox.store.newID()
        let directory = sandbox.store.userData(of: id)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data("log".utf8).write(to: URL(fileURLWithPath: directory + "/ctr.log"))
        let facts = sandbox.reader().read().facts
        #expect(facts.trees.contains { $0.id == "log:\(id)" && $0.kind == .log })
        #expect(facts.containers.count == sandbox.store.containers.count)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("the log of a container of CRI-O is where its annotation says, below the kubelet's directory alone")
    func kubernetesLog() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let pods = sandbox.store.root + "-pods"
        defer { try? FileManager.default.removeItem(atPath: pods) }
        let directory = pods + "/ns_pod_uid/web"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let job = try sandbox.container("job")
        func read(_ path: String, owner: Bool = true) throws -> (ContainerFact, TreeFact?) {
            try sandbox.replace(
                sandbox.store.userData(of: job.id) + "/config.json",
                with: """
                    {"annotations":{"io.kubernetes.cri-o.LogPath":"\(path)",
                     "io.kubernetes.cri-o.Labels":"{\\"app\\":\\"web\\",\\"bad\\":1}"}}
                    """)
            let facts = sandbox.reader(podLogs: pods).read().facts
            #expect(facts.problems.isEmpty)
            return (
                try #require(facts.containers.first { $0.id == job.id }),
                facts.trees.first { $0.id == "log:\(job.id)" }
            )
        }
        let (container, tree) = try read(directory + "/0.log")
        guard geteuid() == 0 else { return }
        #expect(container.labels == ["app": "web"])
        #expect(container.logPath == directory + "/0.log")
        #expect(tree?.directory == directory)
        #expect(tree?.entries.first?.matches(Array("0.log.20240101-000000.gz".utf8)) == true)
        #expect(tree?.entries.first?.matches(Array("1.log".utf8)) == false)
        for path in ["/etc/passwd", pods + "/../x/0.log", pods + "/none/0.log", directory, "0.log", ""] {
            #expect(try read(path).1 == nil || path == directory, "\(path)")
        }
    }

    @Test("layers of another store are no damage where the engine reads from it")
    func otherStores() throws {
        let shared = try ContainersStorageSandbox.small()
        let sandbox = try ContainersStorageSandbox(seed: 9)
        var base = try shared.image("localhost/base:1")
        try sandbox.store.addContainer(named: "c", on: base)
        base.layers = try shared.image("registry:5000/team/web:2").layers
        base.history = try shared.image("registry:5000/team/web:2").history
        let own = try sandbox.store.addImage(
            [BuildStep("RUN x", content: LayerContent(files: [.init("x", size: 1)]))], on: base,
            names: ["own"])
        let alone = sandbox.reader().read().facts
        #expect(alone.problems.contains { $0.reason.contains("no layer") })
        #expect(alone.problems.allSatisfy { $0.severity == .pending })

        let reader = sandbox.reader(others: [shared.root, "/none", sandbox.root])
        let facts = reader.read().facts
        #expect(facts.problems.isEmpty, "\(facts.problems)")
        #expect(facts.containers.first?.chain == [])
        #expect(facts.layers.allSatisfy { $0.parent == nil })
        let image = try #require(facts.images.first)
        #expect(image.layers == [try #require(own.layers.last)])
        #expect(image.history.compactMap(\.layer) == image.layers)
        #expect(image.history.last?.layer == own.layers.last)
        #expect(StoreConformance.flaws(of: facts) == [])
        #expect(reader.read().filesRead == 0)
    }

    @Test(
        "what an engine keeps in its run root alone is no orphan; what another store has there is not of this one"
    )
    func transientStore() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let run = sandbox.store.root + "-run"
        defer { try? FileManager.default.removeItem(atPath: run) }
        for part in ["layers", "containers"] {
            try FileManager.default.createDirectory(
                atPath: "\(run)/overlay-\(part)", withIntermediateDirectories: true)
            let list = sandbox.store.list("volatile-" + part)
            let foreign = #"[{"id":"ff00","layer":"ff00"},"#
            try sandbox.replace(
                "\(run)/overlay-\(part)/volatile-\(part).json", with: foreign + sandbox.text(list).dropFirst()
            )
            try FileManager.default.removeItem(atPath: list)
        }
        let facts = sandbox.reader(orphanSeconds: 0, runRoots: [run]).read().facts
        #expect(facts.sorted == sandbox.store.facts)
        #expect(StoreConformance.flaws(of: facts) == [])
        let blind = sandbox.reader(orphanSeconds: 0).read().facts
        #expect(blind.layers.contains { $0.kind == .orphan })
    }

    @Test("layers of a second driver are counted as overhead, and told")
    func twoDrivers() throws {
        let sandbox = try ContainersStorageSandbox.small()
        var other = try ContainersStorageBuilder(root: sandbox.root, driver: "vfs", seed: 3)
        #expect(sandbox.reader().read().facts.problems.isEmpty)
        try other.addImage(
            [BuildStep("ADD", content: LayerContent(files: [.init("f", size: 10)]))], names: ["v"])
        let late = sandbox.reader().identity
        #expect(late.driver == "vfs")
        try sandbox.replace(sandbox.store.root + "/overlay-layers/layers.lock", with: "later")
        let facts = sandbox.reader().read().facts
        #expect(facts.store.driver == "overlay")
        #expect(facts.problems.map(\.severity) == [.damaged])
        #expect(facts.problems.first?.reason.contains("vfs") == true)
        #expect(StoreConformance.flaws(of: facts) == [])
    }

    @Test("a driver that cannot be read is told", arguments: ["btrfs", "zfs"])
    func otherDriver(driver: String) throws {
        let root = try DockerAbsenceTests.EmptyRoot(["\(driver)-layers", driver])
        try Data(#"[{"id":"aa"}]"#.utf8).write(
            to: URL(fileURLWithPath: "\(root.path)/\(driver)-layers/layers.json"))
        let facts = ContainersStorageReader(root: root.path).read().facts
        #expect(facts.problems.map(\.severity) == [.unreadable])
        #expect(facts.problems.first?.reason.contains(driver) == true)
    }

    @Test("a root that does not exist is unreadable, one in which nothing was made yet is empty")
    func absentStore() throws {
        let root = try DockerAbsenceTests.EmptyRoot()
        let missing = ContainersStorageReader(root: root.path + "/no/storage").read()
        #expect(missing.facts.problems.map(\.severity) == [.unreadable])
        #expect(missing.directories == [ContainersStorageReader(root: root.path).identity.root])
        let empty = Stores.open(StoreLocation(kind: .containersStorage, path: root.path)).read()
        #expect(empty.facts.problems.isEmpty && empty.facts.layers.isEmpty)
        #expect(StoreConformance.flaws(of: empty.facts) == [])
        // Podman's first command makes it.
        let reader = ContainersStorageReader(root: root.path)
        _ = reader.read()
        var store = try ContainersStorageBuilder(root: root.path)
        try store.addContainer(named: "c", on: nil)
        #expect(reader.read().facts.sorted == store.facts)
    }

    @Test("a store whose layers are not mounted is unreadable as a whole, and well again when they are")
    func unmounted() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let reader = sandbox.reader(orphanSeconds: 0)
        _ = reader.read()
        let data = sandbox.store.root + "/overlay"
        try FileManager.default.moveItem(atPath: data, toPath: data + "-away")
        #expect(reader.read().facts.problems.map(\.severity) == [.unreadable])
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        #expect(reader.read().facts.problems.map(\.severity) == [.unreadable])
        try FileManager.default.removeItem(atPath: data)
        try FileManager.default.moveItem(atPath: data + "-away", toPath: data)
        #expect(reader.read().facts.sorted == sandbox.store.facts)
    }
}
