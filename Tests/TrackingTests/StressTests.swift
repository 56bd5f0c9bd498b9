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
        try files.live(
            with: tracker, in: directory.path, layer: directory.path, seed: seed, rounds: 600,
            countsInodes: true)
    }
}
