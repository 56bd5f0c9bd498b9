import Accounting
import Foundation
import Testing
import UsageTestKit

@testable import Tracking

/// Long runs, for whoever changes the tracker: set `USAGED_TEST_ALL`.
@Suite(
    "Tracking under long random work", .serialized,
    .enabled(if: ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] != nil))
struct StressTests {
    private let key = LayerKey(
        store: StoreIdentity(engine: "test", driver: "directory", root: "/"), id: "w")

    private func oracle(_ path: String) throws -> Measure {
        let walk = try FullWalk(walking: path)
        return Measure(diskBytes: walk.diskBytes, sizeBytes: walk.sizeBytes, inodes: walk.inodes)
    }

    /// Seeds to repeat a failure with: `USAGED_TEST_SEEDS=17,4711`.
    static var seeds: [UInt64] {
        if let given = ProcessInfo.processInfo.environment["USAGED_TEST_SEEDS"] {
            return given.split(separator: ",").compactMap { UInt64($0) }
        }
        return (0..<40).map { _ in UInt64.random(in: 0..<1_000_000) }
    }

    @Test("after each of many barriers the figure equals a full walk", arguments: seeds)
    func randomWork(seed: UInt64) async throws {
        let directory = try ScratchDirectory("stress")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let sink = LastReports()
        let service = try TrackingService(sink: sink)
        service.start()
        defer { service.stop() }
        var generator = SeededGenerator(seed: seed)
        var work = RandomSystemCalls(root: directory.path, seed: seed)
        service.track(key, directory: directory.path)
        for round in 0..<400 {
            for _ in 0..<Int.random(in: 0..<300, using: &generator) { work.step() }
            let (figure, truth) = try await service.compare(key, with: directory.path, figure: sink.measure)
            try #require(figure == truth, "seed \(seed) round \(round)")
        }
        work.finish()
    }

    @Test("work in the middle of batches is in the figure after the next barrier", arguments: seeds)
    func disturbedBatches(seed: UInt64) throws {
        let directory = try ScratchDirectory("stress")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let files = try DisturbedFileSystem(path: directory.path)
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [35], looksPerRelief: 3)
        var generator = SeededGenerator(seed: seed)
        var work = RandomSystemCalls(root: directory.path, seed: seed)
        defer { work.finish() }
        for round in 0..<600 {
            let odds = Int.random(in: 1..<40, using: &generator)
            // As many as let a batch come to an end.
            var left = 0
            files.disturb = {
                guard left > 0, Int.random(in: 0..<odds, using: &generator) == 0 else { return }
                left -= 1
                work.step()
            }
            for _ in 0..<Int.random(in: 0..<4, using: &generator) {
                for _ in 0..<Int.random(in: 0..<60, using: &generator) { work.step() }
                try files.deliver(to: tracker)
                left = 100
                _ = tracker.runBatch(now: Int64(round)) { try? files.deliver(to: tracker) }
            }
            files.disturb = nil
            func settle() throws {
                // What a barrier does.
                try files.deliver(to: tracker)
                tracker.markUnsettled()
                _ = tracker.runBatch(now: Int64(round)) {}
                for _ in 0..<4 where !tracker.isAnswered {
                    if tracker.needsAudit { tracker.audit() }
                    _ = tracker.runBatch(now: Int64(round)) {}
                }
                try #require(tracker.isAnswered, "seed \(seed) round \(round)")
            }
            // The kernel may write back between barrier and walk, which changes blocks; then it counts for nothing.
            var before = try FullWalk(walking: directory.path).total
            try settle()
            var truth = try FullWalk(walking: directory.path).total
            while before != truth {
                before = truth
                try settle()
                truth = try FullWalk(walking: directory.path).total
            }
            try #require(tracker.measure.total == truth, "seed \(seed) round \(round)")
        }
    }
}
