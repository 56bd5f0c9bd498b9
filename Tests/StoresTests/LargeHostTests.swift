import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("A generated host")
struct LargeHostTests {
    private func withHost(_ options: LargeHost.Options, _ body: (LargeHost) throws -> Void) throws {
        let root = NSTemporaryDirectory() + "usaged-host-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try body(try LargeHost.make(in: root, options))
    }

    @Test(
        "it reads as what was made, and each of its inodes has its place",
        arguments: [UInt64.random(in: 0...UInt64.max)])
    func readsWhatWasMade(seed: UInt64) throws {
        try withHost(LargeHost.Options(containers: 50, imageLayers: 400, seed: seed)) { host in
            let facts = DockerReader(root: host.store.root).read().facts
            #expect(facts.inOrder.layers == host.store.facts.layers, "seed \(seed)")
            #expect(facts.inOrder == host.store.facts, "seed \(seed)")
            #expect(StoreConformance.flaws(of: facts) == [], "seed \(seed)")
        }
    }

    @Test("it holds as many containers, layers, files and directories as it was asked for")
    func numbers() throws {
        let options = LargeHost.Options(
            containers: 7, imageLayers: 40, entriesPerLayer: 125, entriesPerContainer: 30,
            filesPerDirectory: 9, bytesPerFile: 0...0)
        try withHost(options) { host in
            let facts = host.store.facts
            #expect(facts.containers.count == 7)
            let layers = facts.layers.filter { $0.kind == .image }
            #expect(layers.count == 40)
            for layer in layers {
                let walk = try FullWalk(walking: layer.directory)
                #expect(walk.inodes == 125 + 1, "the directory itself beside")
                #expect(walk.sizeBytes == 0)
                #expect(walk.inodes - walk.directories <= 9 * (walk.directories - 1))
            }
            #expect(host.upperDirectories.count == 7)
            for directory in host.upperDirectories {
                #expect(try FullWalk(walking: directory).inodes == 30 + 1)
            }
        }
    }

    @Test("its images share their lower layers, and every layer is an image's", arguments: [1, 30, 700])
    func sharing(layers: Int) throws {
        try withHost(
            LargeHost.Options(containers: 0, imageLayers: layers, entriesPerLayer: 1, bytesPerFile: 0...0)
        ) { host in
            let chains = host.store.images.values.map(\.layers)
            #expect(Set(chains.joined()) == Set(host.store.layers.keys))
            #expect(chains.map(\.count).max() ?? 0 <= 16, "an overlay of them can be mounted")
            guard layers > 100 else { return }
            let users = Dictionary(chains.joined().map { ($0, 1) }, uniquingKeysWith: +)
            #expect(users.values.count { $0 > 1 } > layers / 10)
        }
    }

    @Test("the same seed makes the same host, and another another")
    func seeds() throws {
        func ids(_ seed: UInt64) throws -> Set<String> {
            var ids: Set<String> = []
            try withHost(LargeHost.Options(containers: 3, imageLayers: 20, seed: seed)) { host in
                ids = Set(host.store.layers.keys).union(host.store.images.keys)
            }
            return ids
        }
        let first = try ids(1)
        #expect(try ids(1) == first)
        #expect(try ids(2).isDisjoint(with: first))
    }
}
