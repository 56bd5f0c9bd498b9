import Accounting
import Foundation
import Glibc
import Testing
import UsageTestKit

@testable import Tracking

@Suite("Files with names in several layers")
struct SharedFileTests {
    private let store = StoreIdentity(engine: "test", driver: "directory", root: "/")

    /// With one shard both layers have one inotify instance, with two they have one each.
    @Test(
        "a file is charged once to two layers right behind its link and each write by either name",
        arguments: [1, 2])
    func linkAcross(shards: Int) async throws {
        let scratch = try ScratchDirectory("shared")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let sink = LastReports()
        let service = try TrackingService(options: TrackingOptions(shards: shards), sink: sink)
        service.start()
        defer { service.stop() }
        let layers = ["a", "b"].map { scratch.path + "/" + $0 }
        for (index, layer) in layers.enumerated() {
            try FileManager.default.createDirectory(atPath: layer, withIntermediateDirectories: true)
            service.track(LayerKey(store: store, id: String(index)), directory: layer)
        }
        func check(_ step: String) async throws {
            let unsettled = await service.barrier()
            #expect(unsettled == [], "\(step)")
            var ledger = Ledger()
            let keys = layers.indices.map { LayerKey(store: store, id: String($0)) }
            _ = ledger.update(
                StoreFacts(
                    store: store,
                    layers: keys.enumerated().map {
                        LayerFact(id: $1.id, kind: .container, directory: layers[$0])
                    },
                    containers: keys.map { ContainerFact(id: $0.id, name: $0.id, layer: $0.id) }))
            for key in keys {
                guard case .measured(let measure, let confidence) = sink.outcome(key) else { continue }
                ledger.record(key, measure, confidence: confidence)
            }
            // The directory of the two is no layer's.
            let walk = try FullWalk(walking: scratch.path)
            let top = try #require(lstat(scratch.path))
            let sum = ledger.snapshot().totals.containers.measure
            #expect(sum.sizeBytes == walk.sizeBytes, "\(step)")
            #expect(sum.diskBytes == walk.diskBytes - top, "\(step)")
            #expect(sum.inodes == walk.inodes - 1, "\(step)")
        }
        let (first, second) = (layers[0] + "/f", layers[1] + "/g")
        var file = Glibc.open(first, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        func write(_ count: Int) {
            _ = [UInt8](repeating: 1, count: count).withUnsafeBytes {
                Glibc.write(file, $0.baseAddress, count)
            }
        }
        write(1_000)
        try await check("written in one layer")
        #expect(link(first, second) == 0)
        try await check("linked into the other")
        write(100_000)
        try await check("written by the first name")
        close(file)
        file = Glibc.open(second, O_WRONLY | O_APPEND | O_CLOEXEC)
        write(50_000)
        try await check("written by the second name")
        unlink(second)
        try await check("the second name is gone")
        write(70_000)
        try await check("written by the second name, which is gone")
        #expect(rename(first, second) == 0)
        try await check("moved to the other layer")
    }

    private func lstat(_ path: String) -> Int64? {
        var status = stat()
        return Glibc.lstat(path, &status) == 0 ? Int64(status.st_blocks) * 512 : nil
    }
}
