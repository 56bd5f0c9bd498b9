import Foundation
import Testing
import Tracking
import UsageTestKit

/// A failure tells its options with the seed; the same run needs the same order of dictionaries, so `make test` sets
/// `SWIFT_DETERMINISTIC_HASHING=1`.
@Suite("Trackers and ledger on a simulated disk")
struct SimulationTests {
    private static let isLong = ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] != nil
    /// Operations of one of the 33 cases below: 16 million in all, 165 million in the long run, and 1.6 million under a
    /// sanitizer, which takes twenty times as long.
    private static let operations =
        isLong ? 5_000_000 : Sanitizer.isOn ? 50_000 : 500_000

    @Test(
        "whatever is done, between and during looks, the figure that is called right is a walk's",
        arguments: [(60, 60), (400, 60), (3000, 400), (60, 5), (20, 3)], [16, 300])
    func oneLayer(_ work: (stretch: Int, burst: Int), queueLimit: Int) async throws {
        var options = TrackerSimulation.Options(seed: 0, operations: 0)
        options.stretch = work.stretch
        options.burst = work.burst
        options.queueLimit = queueLimit
        try await repeatedly(options)
    }

    @Test(
        "layers that share files and take directories from each other are each right, and their sum is",
        arguments: [TrackerSimulation.Layout.twoInstances, .twoOfOneInstance],
        [(60, 60), (400, 60), (3000, 400), (60, 5), (20, 3)])
    func twoLayers(_ layout: TrackerSimulation.Layout, work: (stretch: Int, burst: Int)) async throws {
        var options = TrackerSimulation.Options(seed: 0, operations: 0)
        options.layout = layout
        options.stretch = work.stretch
        options.burst = work.burst
        options.queueLimit = 100
        try await repeatedly(options)
    }

    @Test(
        "where more is marked than fits, what is called right is a walk's",
        arguments: [(60, 5), (20, 3)], [2, 8])
    func manyMarks(_ work: (stretch: Int, burst: Int), names: Int) async throws {
        var options = TrackerSimulation.Options(seed: 0, operations: 0)
        options.stretch = work.stretch
        options.burst = work.burst
        options.bounds = MarkBounds(names: names, directories: 3)
        try await repeatedly(options)
    }

    @Test(
        "where few names meet all the time, what is called right is a walk's",
        arguments: [(60, 5), (20, 3), (10, 8)], TrackerSimulation.Layout.allCases)
    func fewNames(_ work: (stretch: Int, burst: Int), layout: TrackerSimulation.Layout) async throws {
        var options = TrackerSimulation.Options(seed: 0, operations: 0)
        options.layout = layout
        options.stretch = work.stretch
        options.burst = work.burst
        options.isNarrow = true
        // What is suspect makes a look at everything: a new layer is not.
        try await repeatedly(options, each: 60)
    }

    struct Found: Sendable, CustomTestStringConvertible {
        var options: TrackerSimulation.Options

        init(
            seed: UInt64, work: (stretch: Int, burst: Int) = (20, 3),
            _ change: (inout TrackerSimulation.Options) -> Void
        ) {
            options = TrackerSimulation.Options(seed: seed, operations: 20_000)
            options.stretch = work.stretch
            options.burst = work.burst
            change(&options)
        }

        /// Of ``fewNames(_:layout:)``.
        static func amongFewNames(
            seed: UInt64, _ change: (inout TrackerSimulation.Options) -> Void = { _ in }
        ) -> Found {
            Found(seed: seed, work: (60, 5)) { options in
                options.operations = 60
                options.readsInParts = true
                options.isNarrow = true
                change(&options)
            }
        }

        var testDescription: String { "\(options.seed)" }
    }

    @Test(
        "what long runs found stays right",
        arguments: [
            // A name that was gone when its coming was looked at, and that another file had later.
            Found(seed: 1_800_782_885_028_225_666) { $0.queueLimit = 300 },
            // Files open by names that came and went in a directory which then went.
            Found(seed: 8_503_049_254_447_022_713) { $0.queueLimit = 300 },
            Found(seed: 2_951_803_494_027_078_721) { $0.queueLimit = 16 },
            // A name at which the look for what came found what came after it.
            Found(seed: 6_154_239_487_703_364_986) { $0.queueLimit = 300 },
            Found(seed: 1_238_554_768_192_602_774) { $0.bounds = MarkBounds(names: 2, directories: 3) },
            // A directory that was elsewhere while everything was looked at, in which a name came and went meanwhile.
            Found(seed: 4_878_520_229_731_886_812, work: (60, 5)) { $0.queueLimit = 300 },
            // A name by which a file was exchanged for a directory, and which a third had when it was looked at.
            Found(seed: 5_922_859_654_809_021_247) { $0.queueLimit = 300 },
            // A name that another file had when what was written by it was looked at.
            .amongFewNames(seed: 555_498_966_589_779_063) { $0.layout = .twoInstances },
            // A name in a directory that was not there when the name's coming was to be looked at.
            .amongFewNames(seed: 67_735_264_919_795_949),
            Found(seed: 8_377_153_393_072_367_601) {
                $0.bounds = MarkBounds(names: 8, directories: 3)
                $0.readsInParts = true
            },
            // A directory that another layer had for a moment.
            Found(seed: 4_588_107_739_753_697_860) {
                $0.layout = .twoOfOneInstance
                $0.queueLimit = 100
            },
            // A write by a name that was another file's for a moment.
            Found(seed: 8_888_522_435_506_557_953) {
                $0.layout = .twoOfOneInstance
                $0.queueLimit = 100
            },
            // A file that was found by none of its names, and by another later.
            Found(seed: 367_598_509_479_729_083, work: (60, 5)) {
                $0.layout = .twoOfOneInstance
                $0.queueLimit = 100
            },
        ])
    func found(_ found: Found) async throws {
        _ = try await simulate(found.options)
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

    /// Many short runs find more than a long one: the tree stays small, so that its names meet.
    private func repeatedly(_ options: TrackerSimulation.Options, each length: Int = 20_000) async throws {
        // The short form is the same each time; the long one finds what is new.
        var options = options
        options.seed = Self.isLong ? UInt64.random(in: 0...UInt64.max / 2) : 0
        options.operations = length
        var done = 0
        while done < Self.operations {
            options.seed += 1
            options.readsInParts = options.seed % 2 == 1
            done += try await simulate(options).operations
        }
    }

    /// Runs on a thread apart from those that all tests share.
    private func simulate(_ options: TrackerSimulation.Options) async throws -> TrackerSimulation.Summary {
        try await onThread { try TrackerSimulation.run(options) }
    }
}
