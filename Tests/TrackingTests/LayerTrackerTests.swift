import Accounting
import Foundation
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

@Suite("One layer's tracker")
struct LayerTrackerTests {
    private func oracle(_ path: String) throws -> Measure {
        let walk = try FullWalk(walking: path)
        return Measure(diskBytes: walk.diskBytes, sizeBytes: walk.sizeBytes, inodes: walk.inodes)
    }

    @Test("a directory that is removed while it is looked at leaves the others as they are")
    func removedWhileListed() throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        #expect(mkdir(scratch("gone"), 0o755) == 0)
        let files = try DisturbedFileSystem(path: scratch.path)
        files.beforeListing = { rmdir(scratch("gone")) }
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [])
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.failure == nil)
        try files.deliver(to: tracker)
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.isSettled)
        #expect(try tracker.measure.total == oracle(scratch.path))
    }
}
