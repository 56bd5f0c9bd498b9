import Accounting
import Testing
import UsageTestKit
import Wire

@Suite("a large host")
struct LargeHostTests {
    @Test(
        "the figures of a generated host are those of full walks",
        arguments: [UInt64.random(in: 0...UInt64.max)])
    func figures(seed: UInt64) async throws {
        try await withScratch { scratch in
            let host = try LargeHost.make(
                in: scratch("docker"), LargeHost.Options(containers: 50, imageLayers: 400, seed: seed))
            try await DiskUsage.sync(scratch.path)
            try await withDaemon(["docker=\(host.store.root)"]) { daemon in
                let status = try await daemon.query.exactStatus()
                var known = SoakFigures.ImageLayers()
                let walked = try SoakFigures(host.store.facts, &known)
                #expect(walked.differences(of: status) == [], "seed \(seed)")
                #expect(status.totals.imageLayers.count == 400)
                #expect(status.images.count == host.store.images.count)
            }
        }
    }
}
