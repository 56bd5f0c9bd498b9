import Foundation
import Testing
import UsageTestKit

@testable import Tracking

/// `make exactness` runs it with twenty seeds and keeps the rows of the table in `Documentation/exactness.md`.
@Suite("Figures on real file systems", .serialized)
struct ExactnessTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let isLong = environment["USAGED_TEST_ALL"] != nil

    /// Seeds to repeat a failure with: `USAGED_TEST_SEEDS=17,4711`.
    private static var seeds: [UInt64] {
        if let given = environment["USAGED_TEST_SEEDS"] {
            return given.split(separator: ",").compactMap { UInt64($0) }
        }
        return Array(1...(isLong ? 20 : 2))
    }

    @Test(
        "after all work and overflows the figure is a full walk's, in bytes, blocks and inodes",
        arguments: Configuration.all)
    func exact(_ configuration: Configuration) async throws {
        if let obstacle = configuration.obstacle { try Test.cancel("\(configuration.name): \(obstacle)") }
        let fileSystem = try await LoopFileSystem.make(configuration.kind)
        var summary = ExactnessRun.Summary()
        do {
            for seed in Self.seeds {
                try await ExactnessRun(configuration: configuration, fileSystem: fileSystem, seed: seed)
                    .run(into: &summary)
            }
        } catch {
            try await fileSystem.remove()
            throw error
        }
        try await fileSystem.remove()
        print("exactness: \(summary.row(configuration))")
        try Self.keep(summary.row(configuration), of: configuration)
        for difference in summary.differences { Issue.record("\(difference)") }
    }

    private static func keep(_ row: String, of configuration: Configuration) throws {
        guard let directory = environment["USAGED_EXACTNESS_ROWS"],
            let index = Configuration.all.firstIndex(of: configuration)
        else { return }
        try Data((row + "\n").utf8).write(to: URL(fileURLWithPath: directory + "/\(index)"))
    }
}

extension ExactnessRun.Summary {
    fileprivate func row(_ configuration: Configuration) -> String {
        let cells: [any CustomStringConvertible] = [
            configuration.name, seeds, operations, counters.events, counters.overflows, counters.fullLooks,
            comparisons, counters.corrections, differences.count,
        ]
        return "| " + cells.map(\.description).joined(separator: " | ") + " |"
    }
}
