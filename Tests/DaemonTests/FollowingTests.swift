import Accounting
import Foundation
import Testing
import UsageTestKit
import Wire

@Suite("following a Docker store while it changes")
struct FollowingTests {
    /// What a client should list: names by id, images and containers.
    private struct Listing: Hashable {
        var images: [String: [String]]
        var containers: [String: String]

        init(_ store: DockerStoreBuilder) {
            images = store.images.mapValues(\.names)
            containers = store.containers.mapValues(\.name)
        }

        init(_ status: Status) {
            images = Dictionary(status.images.map { ($0.id, $0.names) }, uniquingKeysWith: { a, _ in a })
            containers = Dictionary(
                status.containers.map { ($0.id, $0.name) }, uniquingKeysWith: { a, _ in a })
        }
    }

    @Test(
        "each change of a store is in the very next answer, or that says that it is not exact",
        arguments: [UInt64.random(in: 0...UInt64.max)])
    func everyChange(seed: UInt64) async throws {
        try await withStore { world in
            var random = SeededGenerator(seed: seed)
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                for step in 0..<25 {
                    let what = try change(&world, step, &random)
                    let where_ = "seed \(seed), step \(step): \(what)"
                    let next = try await query.get(Status.self, "v1/status")
                    let expected = Listing(world.store)
                    #expect(!next.exact || Listing(next) == expected, "\(where_)")
                    let exact = try await query.exactStatus()
                    #expect(Listing(exact) == expected, "\(where_)")
                    #expect(
                        exact.imageFigures.mapValues(\.size)
                            == (try await world.imageFigures()).mapValues(\.size), "\(where_)")
                    #expect(
                        exact.containerFigures.mapValues(\.size)
                            == (try await world.containerFigures()).mapValues(\.size), "\(where_)")
                    let image = Int64(Set(world.store.images.values.flatMap(\.layers)).count)
                    #expect(Int64(exact.totals.imageLayers.count) == image, "\(where_)")
                }
            }
        }
    }

    /// One change by the engine, in its order.
    private func change(
        _ world: inout StoreWorld, _ step: Int, _ random: inout SeededGenerator
    ) throws -> String {
        let images = world.store.images.values.sorted { $0.id < $1.id }
        let containers = world.store.containers.values.sorted { $0.id < $1.id }
        let image = images.randomElement(using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            try world.store.build(
                [
                    BuildStep(
                        "RUN \(step)",
                        content: LayerContent(files: [
                            .init("f\(step)", size: .random(in: 0...50_000, using: &random))
                        ]))
                ], on: Bool.random(using: &random) ? image : nil, names: ["made:\(step)"])
            return "an image built"
        case 1, 2:
            let container = try world.store.addContainer(named: "made-\(step)", on: image)
            try world.write(.random(in: 1...50_000, using: &random), to: "data", in: container)
            return "a container added"
        case 3:
            guard var container = containers.randomElement(using: &random) else { return "nothing" }
            container.name = "renamed-\(step)"
            try world.store.update(container)
            return "a container renamed"
        case 4:
            guard let container = containers.randomElement(using: &random) else { return "nothing" }
            try world.store.removeContainer(container.id)
            return "a container removed"
        default:
            let used = Set(containers.map(\.imageID)).union(images.compactMap(\.parent))
            guard let image, !used.contains(image.id) else {
                if let image { try world.store.rename(image: image.id, to: ["name:\(step)"]) }
                return "an image renamed"
            }
            try world.store.removeImage(image.id)
            return "an image removed"
        }
    }

    @Test(
        "a store that goes is stale with its last figures, and another one in its place is exact with its own"
    )
    func replaced() async throws {
        try await withStore { world in
            try await DiskUsage.sync(world.root)
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let query = daemon.query
                let before = try await query.exactStatus()
                // At once, so that no container is seen to shrink before.
                try FileManager.default.moveItem(atPath: world.root, toPath: world.scratch("aside"))
                let stale = try await wait(for: "the store to be stale") {
                    let status = try await query.status()
                    return status.sources.first?.state == .stale ? status : nil
                }
                #expect(!stale.exact)
                #expect(stale.sources.first?.reason?.contains(world.root) == true)
                #expect(stale.imageFigures == before.imageFigures)
                #expect(stale.containerFigures == before.containerFigures)

                var other = try DockerStoreBuilder(root: world.root, seed: 99)
                let image = try other.build(
                    [
                        BuildStep(
                            "ADD other", content: LayerContent(files: [.init("other", size: 31_337)]))
                    ], names: ["other:1"])
                try other.addContainer(named: "other-1", on: image.last)
                let after = try await query.exactStatus()
                #expect(after.images.map(\.names) == [["other:1"]])
                #expect(after.images.map(\.virtualSizeBytes) == [31_337])
                #expect(after.containers.map(\.name) == ["other-1"])
                #expect(after.sources.map(\.problems) == [[]])
                #expect(after.totals.imageLayers.count == 1)
            }
        }
    }

    @Test("metadata that is half-written for a while is converging and never called damaged")
    func halfWritten() async throws {
        try await withStore { world in
            try await withDaemon(["docker=\(world.root)"]) { daemon in
                let query = daemon.query
                let before = try await query.exactStatus()
                let id = try world.container("tool-1").id
                let url = URL(fileURLWithPath: "\(world.root)/containers/\(id)/config.v2.json")
                let whole = try Data(contentsOf: url)
                // By a rename: the kernel tells of a file's closing late where a process that is just being started
                // holds it too.
                func put(_ content: Data) throws {
                    let aside = url.path + ".new"
                    try content.write(to: URL(fileURLWithPath: aside))
                    try #require(rename(aside, url.path) == 0)
                }
                try put(whole.prefix(whole.count / 2))
                let half = try await query.status()
                #expect(!half.exact)
                #expect(half.sources.map(\.state) == [.converging])
                #expect(half.sources.map(\.problems) == [[]])
                #expect(half.container(named: "tool-1") != nil)
                #expect(half.imageFigures == before.imageFigures)
                try put(whole)
                let after = try await query.exactStatus()
                #expect(Listing(after) == Listing(before))
                #expect(!daemon.log.contains("config.v2.json"))
            }
        }
    }

    @Test("a store that is not there yet is followed from when it is made")
    func madeLater() async throws {
        try await withScratch { scratch in
            let root = scratch("a/b/docker")
            try await withDaemon(["docker=\(root)"]) { daemon in
                let missing = try await daemon.query.status()
                #expect(!missing.exact)
                #expect(missing.sources.map(\.state) == [.stale])
                #expect(missing.sources.first?.reason?.contains(root) == true)
                var store = try DockerStoreBuilder(root: root, seed: 3)
                try store.addContainer(named: "first", on: nil)
                try await wait(until: "the container", deadline: .seconds(20)) {
                    let status = try await daemon.query.status()
                    return status.exact && status.container(named: "first") != nil
                }
            }
        }
    }
}
