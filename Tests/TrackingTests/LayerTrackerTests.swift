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

    @Test("the first look leaves those files alone that nobody wrote for longer than blocks take to settle")
    func oldFilesAreSettled() async throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        for index in 0..<100 {
            try Data(repeating: 1, count: 10).write(to: URL(fileURLWithPath: scratch("old\(index)")))
        }
        let written = try FileStatus.of(path: scratch("old99")).changed
        try await wait(until: "the files to be older than a second") {
            realtimeNanoseconds() > written + 1_000_000_000
        }
        try Data(repeating: 1, count: 10).write(to: URL(fileURLWithPath: scratch("young")))
        let files = try DisturbedFileSystem(path: scratch.path)
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [1])
        _ = tracker.runBatch(now: 0) {}
        let looks = tracker.counters.looks
        tracker.markUnsettled()
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.counters.looks == looks + 1)

        // A write that an event told of settles, whatever the clock says.
        try Data(repeating: 1, count: 20).write(to: URL(fileURLWithPath: scratch("old0")))
        try files.deliver(to: tracker)
        _ = tracker.runBatch(now: 0) {}
        tracker.markUnsettled()
        let more = tracker.counters.looks
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.counters.looks == more + 2)
    }
}
