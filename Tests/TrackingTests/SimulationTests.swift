import Foundation
import Kernel
import Testing
import UsageTestKit

/// A failure tells its seed; the same run needs the same order of dictionaries, so `make test` sets
/// `SWIFT_DETERMINISTIC_HASHING=1`.
@Suite("The tracker on a simulated disk")
struct SimulationTests {
    private static let isLong = ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] != nil
    /// Operations of one case of ``life(_:queueLimit:)``.
    private static let operations = isLong ? 4_000_000 : 200_000

    @Test(
        "whatever is done, between and during looks, the figure that is called right is a walk's",
        arguments: [(60, 60), (400, 60), (3000, 400), (60, 5), (20, 3)], [16, 300])
    func life(_ work: (stretch: Int, burst: Int), queueLimit: Int) async throws {
        // The short run is the same each time; the long one finds what is new.
        let seed = Self.isLong ? UInt64.random(in: 0...UInt64.max / 2) : 1
        var done = 0
        var run: UInt64 = 0
        while done < Self.operations {
            var options = TrackerSimulation.Options(seed: seed + run, operations: 20_000)
            options.stretch = work.stretch
            options.burst = work.burst
            options.queueLimit = queueLimit
            done += try await simulate(options).operations
            run += 1
        }
    }

    @Test(
        "with one of its means taken away the tracker is wrong, so the simulation can tell",
        arguments: SimulatedDisk.Mutation.allCases)
    func mutation(_ mutation: SimulatedDisk.Mutation) async {
        var found = false
        for seed in 0..<40 as Range<UInt64> where !found {
            var options = TrackerSimulation.Options(seed: seed, operations: 5_000)
            options.stretch = 20
            options.burst = 1
            options.isOrdinary = mutation == .noAttributes
            options.queueLimit = mutation == .noOverflow ? 4 : 16_384
            options.mutation = mutation
            do { _ = try await simulate(options) } catch { found = true }
        }
        #expect(found, "no seed of forty told the difference")
    }

    /// Runs on a thread apart from those that all tests share.
    private func simulate(_ options: TrackerSimulation.Options) async throws -> TrackerSimulation.Summary {
        try await withCheckedThrowingContinuation { continuation in
            NamedThread.start("simulation") {
                continuation.resume(with: Result { try TrackerSimulation.run(options) })
            }
        }
    }
}
