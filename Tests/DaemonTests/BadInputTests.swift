import Accounting
import Foundation
import Glibc
import Testing
import UsageTestKit
import Wire

/// Something wrong at one place of a Docker store.
struct Damage: Sendable, CustomTestStringConvertible {
    enum Place: String, Sendable {
        case imageConfig = "an image's configuration"
        case containerConfig = "a container's configuration"
        case repositories = "repositories.json"
        case layerSize = "a layer's size"
        case topLayerParent = "the parent of an image's upper layer"
        case lowLayerParent = "the parent of an image's lower layer"
        case imageParent = "an image's parent"
        case layerDirectory = "a layer's directory"
        case data = "overlay2"
        case imageDatabase = "imagedb"
        case root = "the data root"
    }

    enum Content: Sendable {
        case text(String)
        /// The first half of what was there.
        case half
        /// The id of the image's upper layer, or the image's.
        case topLayer, topImage
        case fifo, link, directory, sparse, file, nothing
    }

    let place: Place
    let content: Content
    var state = SourceState.damaged

    var testDescription: String { "\(place.rawValue): \(content)" }

    static let all: [Damage] =
        [Place.imageConfig, .containerConfig, .repositories].flatMap { place in
            [Damage(place: place, content: .text("no JSON")), Damage(place: place, content: .half)]
        }
        + ["many", "-5", "1" + String(repeating: "0", count: 30)].map {
            Damage(place: .layerSize, content: .text($0))
        }
        + [Place.imageConfig, .containerConfig, .repositories, .layerSize].flatMap { place in
            [Content.fifo, .link, .directory, .sparse].map { Damage(place: place, content: $0) }
        }
        + [
            Damage(place: .topLayerParent, content: .topLayer),
            Damage(place: .lowLayerParent, content: .topLayer),
            Damage(place: .imageParent, content: .topImage),
            Damage(place: .layerDirectory, content: .nothing),
            Damage(place: .imageDatabase, content: .nothing),
            Damage(place: .data, content: .nothing, state: .stale),
            Damage(place: .root, content: .nothing, state: .stale),
            Damage(place: .root, content: .file, state: .stale),
        ]
}

/// Where the damage is done in a store, and what may suffer.
private struct Wound {
    let damage: Damage
    /// What is replaced.
    var path: String
    /// What a problem names, one of which must be.
    var named: Set<String>
    var images: Set<String> = []
    var containers: Set<String> = []

    init(_ damage: Damage, in world: StoreWorld) throws {
        self.damage = damage
        let image = try world.image("tool:1")
        let below = try #require(image.parent)
        let container = try world.container("tool-1")
        let metadata = world.store.metadata
        let layers = "\(metadata)/layerdb/sha256"
        let config = "\(metadata)/imagedb/content/sha256/\(image.id)"
        switch damage.place {
        case .imageConfig:
            path = config
            images = [image.id]
        case .containerConfig:
            path = "\(world.root)/containers/\(container.id)/config.v2.json"
            containers = [container.id]
        case .repositories: path = "\(metadata)/repositories.json"
        case .layerSize: path = "\(layers)/\(image.layers[1])/size"
        case .topLayerParent:
            path = "\(layers)/\(image.layers[1])/parent"
            images = [image.id]
            containers = [container.id]
        case .lowLayerParent:
            path = "\(layers)/\(image.layers[0])/parent"
            images = [image.id, below]
            containers = [container.id]
        case .imageParent:
            path = "\(metadata)/imagedb/metadata/sha256/\(below)/parent"
            images = [image.id, below]
        case .layerDirectory:
            let layer = try #require(world.store.layers[image.layers[1]])
            path = URL(fileURLWithPath: layer.directory).deletingLastPathComponent().path
            images = [image.id]
            containers = [container.id]
        case .data: path = "\(world.root)/overlay2"
        case .imageDatabase:
            path = "\(metadata)/imagedb"
            images = Set(world.store.images.keys)
        case .root: path = world.root
        }
        named = [path]
        switch damage.place {
        case .topLayerParent:
            named.formUnion([config, "\(metadata)/layerdb/mounts/\(container.id)/parent"])
        case .lowLayerParent:
            named.formUnion([
                config, "\(metadata)/imagedb/content/sha256/\(below)",
                "\(layers)/\(image.layers[1])/parent",
                "\(metadata)/layerdb/mounts/\(container.id)/parent",
            ])
        case .imageParent:
            named.insert("\(metadata)/imagedb/metadata/sha256/\(image.id)/parent")
        case .layerDirectory: named = [path + "/diff"]
        case .imageDatabase: named = [path + "/content/sha256"]
        default: break
        }
    }

    private func aside(_ world: StoreWorld) -> String { world.scratch("aside") }

    /// Takes away what is at the path and puts the damage there.
    func inflict(on world: StoreWorld) throws {
        let aside = aside(world)
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        if rename(path, aside) != 0 { try #require(errno == ENOENT) }
        let image = try world.image("tool:1")
        switch damage.content {
        case .text(let text): try put(text)
        case .half:
            let whole = try Data(contentsOf: URL(fileURLWithPath: aside))
            try put(String(decoding: whole.prefix(whole.count / 2), as: UTF8.self))
        case .topLayer: try put("sha256:\(image.layers[1])")
        case .topImage: try put("sha256:\(image.id)")
        case .fifo: try #require(mkfifo(path, 0o600) == 0)
        // It leads to the whole file, which nevertheless is no part of the store.
        case .link: try #require(symlink(aside, path) == 0)
        case .directory: try #require(mkdir(path, 0o755) == 0)
        case .sparse:
            try put("{")
            try #require(truncate(path, 1 << 40) == 0)
        case .file: try put("no directory")
        case .nothing: break
        }
    }

    func heal(_ world: StoreWorld) throws {
        switch damage.content {
        case .directory: try #require(rmdir(path) == 0)
        case .nothing: break
        default: try #require(unlink(path) == 0)
        }
        if rename(aside(world), path) != 0 { try #require(errno == ENOENT) }
    }

    private func put(_ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}

/// No test for a store that may not be read: root, which these tests and the daemon run as, may read every file.
@Suite("a damaged Docker store, through daemon and client")
struct BadInputTests {
    @Test(
        "damage is named by its file, before the start and later, and costs nothing else its exact figure",
        arguments: Damage.all)
    func damage(damage: Damage) async throws {
        try await withStore { world in
            let wound = try Wound(damage, in: world)
            try await DiskUsage.sync(world.root)
            let images = try await world.imageFigures()
            let containers = try await world.containerFigures()
            try wound.inflict(on: world)
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let isGone = damage.state == .stale
                try await check(
                    wound, daemon, images: isGone ? [:] : images, containers: isGone ? [:] : containers)
                try wound.heal(world)
                let healed = try await daemon.query.exactStatus()
                #expect(healed.sources.map(\.problems) == [[]])
                #expect(healed.imageFigures == images)
                #expect(healed.containerFigures == containers)

                try wound.inflict(on: world)
                // A layer's files are written once: a change of them is seen when the store is read again.
                if wound.path.contains("/layerdb/sha256/") {
                    try world.store.update(try world.container("base-1"))
                }
                try await check(wound, daemon, images: images, containers: containers)
                if !isGone { try await checkAlive(daemon, world) }
                try wound.heal(world)
                let again = try await daemon.query.exactStatus()
                #expect(again.sources.map(\.problems) == [[]])
                #expect(again.imageFigures == images)
                #expect(Set(again.containerFigures.keys) == Set(containers.keys))
                #expect(try await daemon.terminate() == 0)
            }
        }
    }

    @Test("what is no layer in a plain store costs the layers nothing, and a name that is no text is named")
    func plainStore() async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("plain")
            try scratch.write(String(repeating: "x", count: 30_000), to: "plain/box/data")
            try scratch.write("a file", to: "plain/file")
            try #require(mkfifo("\(root)/fifo", 0o600) == 0)
            try #require(symlink("/etc", "\(root)/link") == 0)
            // In a layer these are files as any other, and nothing of them is opened.
            try #require(mkfifo("\(root)/box/fifo", 0o600) == 0)
            try #require(symlink("/etc", "\(root)/box/link") == 0)
            try scratch.write("", to: "plain/box/sparse")
            try #require(truncate("\(root)/box/sparse", 1 << 40) == 0)
            try await withDaemon(["plain=\(root)"]) { daemon in
                let query = daemon.query
                func check(_ status: Status) async throws {
                    let walk = try await FullWalk.measure("\(root)/box")
                    #expect(status.containers.map(\.name) == ["box"])
                    #expect(status.containers.map(\.diskBytes) == [walk.diskBytes])
                    #expect(status.containers.map(\.sizeBytes) == [walk.sizeBytes])
                    #expect(walk.sizeBytes > 1 << 40)
                    #expect(status.containers.map(\.state) == [.exact])
                }
                try await check(try await query.exactStatus())

                let name = (Array("\(root)/".utf8) + [0xFF, 0xFE, 0]).map { CChar(bitPattern: $0) }
                try #require(mkdir(name, 0o755) == 0)
                let status = try await wait(for: "the damage") {
                    let status = try await query.status()
                    return status.sources.first?.state == .damaged ? status : nil
                }
                #expect(status.sources.first?.problems.map(\.path) == ["\(root)/\\xff\\xfe"])
                try await check(status)
                try #require(rmdir(name) == 0)
                try await check(try await query.exactStatus())
            }
        }
    }

    /// Waits for the damage to be told, and compares all that it does not concern.
    private func check(
        _ wound: Wound, _ daemon: UsagedProcess, images: [String: StoreWorld.Figures],
        containers: [String: StoreWorld.Figures]
    ) async throws {
        let status = try await wait(for: "the damage in the status", deadline: .seconds(40)) {
            let status = try await daemon.query.status()
            return status.sources.first?.state == wound.damage.state
                && status.sources.first?.problems.isEmpty == false && status.progress == nil ? status : nil
        }
        let source = try #require(status.sources.first)
        #expect(!status.exact)
        #expect(status.sources.count == 1)
        let paths = source.problems.map(\.path)
        #expect(!wound.named.isDisjoint(with: paths), "\(source.problems)")
        #expect(wound.named.isSuperset(of: paths), "\(source.problems)")
        #expect(source.problems.allSatisfy { !$0.reason.isEmpty && !$0.reason.contains("\n") })
        #expect(source.reason?.contains(source.problems[0].path) == true)
        if wound.named.count == 1, wound.damage.place != .layerDirectory {
            #expect(source.problems.count == 1, "\(source.problems)")
        }

        let told = status.imageFigures
        for (id, figures) in images where !wound.images.contains(id) {
            #expect(told[id] == figures, "image \(id)")
            if wound.damage.state == .damaged {
                #expect(status.images.first { $0.id == id }?.state == .exact)
            }
        }
        for image in status.images where wound.images.contains(image.id) {
            #expect(image.state == .damaged, "\(image)")
            #expect(image.reason?.isEmpty == false)
        }
        // The writable layers are there whatever is wrong with what they lie on.
        for (id, figures) in containers {
            #expect(status.containerFigures[id] == figures, "container \(id)")
            let state = wound.containers.contains(id) ? SourceState.damaged : .exact
            if wound.damage.state == .damaged {
                #expect(status.containers.first { $0.id == id }?.state == state)
            }
        }

        let printed = try await daemon.query.client(["status"])
        #expect(printed.status == 0)
        #expect(printed.out.contains("not exact"))
        let unwrapped = printed.out.filter { !$0.isWhitespace }
        #expect(paths.contains { unwrapped.contains($0) }, "\(printed.out)")
        let health = try await daemon.health()
        #expect(health.status == "ok")
        #expect(!health.exact)
    }

    /// What containers write is still accounted.
    private func checkAlive(_ daemon: UsagedProcess, _ world: StoreWorld) async throws {
        for container in world.store.containers.values {
            try world.write(123_456, to: "later", in: container)
        }
        let expected = try await world.containerFigures()
        let status = try await daemon.query.status()
        #expect(!status.exact)
        for (id, figures) in status.containerFigures {
            let state = status.containers.first { $0.id == id }?.state
            #expect(figures.size == expected[id]?.size || state == .converging, "container \(id)")
        }
        try await wait(until: "the new bytes") {
            try await daemon.query.status().containerFigures.mapValues(\.size)
                == expected.mapValues(\.size)
        }
    }
}
