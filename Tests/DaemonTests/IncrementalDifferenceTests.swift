import Accounting
import Testing
import UsageTestKit

@testable import Daemon

@Suite("the difference of snapshots that share")
struct IncrementalDifferenceTests {
    /// All of a difference that can be compared.
    private struct Content: Equatable {
        var containers: [[ContainerUsage]]
        var usage: [ContainerUsage]
        var changes: [Measure]
        var images: [[ImageUsage]]
        var sources: [SourceUsage?]

        init(_ difference: SnapshotDifference) {
            containers = [difference.containersAdded, difference.containersRemoved]
            usage = difference.usage.map(\.container)
            changes = difference.usage.map(\.change)
            images = [difference.imagesAdded, difference.imagesNamed, difference.imagesRemoved]
            sources =
                difference.sources.flatMap { [$0.now, $0.before] } + difference.sourcesRemoved.map { $0 }
        }
    }

    @Test(
        "is that of snapshots that do not, over one step and over many", arguments: 0..<40 as Range<UInt64>)
    func difference(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var simulation = LedgerSimulation(seed: seed)
        var found = simulation.snapshot()
        var expected = simulation.rebuilt()
        for index in 0..<200 {
            simulation.change()
            guard Int.random(in: 0..<3, using: &random) > 0 else { continue }
            let snapshot = simulation.snapshot()
            var rebuilt = simulation.rebuilt()
            rebuilt.version = snapshot.version
            try #require(
                Content(SnapshotDifference(from: found, to: snapshot))
                    == Content(SnapshotDifference(from: expected, to: rebuilt)),
                "seed \(seed), step \(index): \(simulation.step)")
            found = snapshot
            expected = rebuilt
        }
    }

    @Test("paths are noted of the containers whose layers were told of", arguments: 0..<10 as Range<UInt64>)
    func paths(seed: UInt64) throws {
        var simulation = LedgerSimulation(seed: seed)
        for index in 0..<100 {
            simulation.change()
            var notes = PathNotes()
            for key in simulation.recorded { notes.add([PathGrowth(path: "/x", diskBytes: 1)], to: key) }
            let snapshot = simulation.snapshot()
            let told = Set(simulation.recorded)
            let expected = Set(snapshot.containers.filter { told.contains($0.layer) }.map(\.key))
            try #require(Set(notes.take(snapshot).keys) == expected, "seed \(seed), step \(index)")
        }
    }
}
