import Accounting
import Foundation
import Testing
import UsageTestKit

@testable import Tracking

extension FaultListTests {
    @Test(
        "12: what overlayfs does to the upper directory is counted",
        arguments: OverlayWork.all, [Configuration.Way.overlay, .overlayWithAll])
    func overlay(work: OverlayWork, way: Configuration.Way) async throws {
        try await FollowedLayer.with(way) { layer in
            try await layer.settle()
            try await layer.sh(work.script)
            try await layer.compare()
        }
    }

    @Test("12: the copy-up of a large file is in the figure when the write that caused it returns")
    func largeCopyUp() async throws {
        let size = Self.isLong ? 1 << 30 : 64 << 20
        try await FollowedLayer.with(
            .overlay,
            prepare: { layer in
                let lower = try #require(layer.mount?.lower)
                _ = FileManager.default.createFile(atPath: lower + "/large", contents: nil)
                let file = try FileHandle(forWritingTo: URL(fileURLWithPath: lower + "/large"))
                let piece = Data(repeating: 7, count: 1 << 20)
                for _ in 0..<(size >> 20) { try file.write(contentsOf: piece) }
                try file.close()
            }
        ) { layer in
            try await layer.settle()
            try await layer.sh("echo more >> large")
            #expect(await layer.service.barrier() == [])
            #expect(layer.reports.measure(FollowedLayer.key)?.sizeBytes == Int64(size + 5))
            try await layer.compare()
        }
    }
}
