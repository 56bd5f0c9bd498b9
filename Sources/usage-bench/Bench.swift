import Glibc
import UsageTestKit

/// One run of measurements: what it was asked for, and the figures so far.
final class Bench {
    /// How much of everything there is; a tenth or less in a trial run.
    struct Sizes {
        var treeEntries = 500_000
        var treeLayers = 200
        var coldEntries = 100_000
        var containers = 1_000
        var layers = 10_000
        var memoryFiles = 1_000_000
        var writtenBytes = 10 << 30
        var eventFiles = 100_000
        var probes = 200
        var runs = 5
        /// How old trees are before a first look at them is timed: files that are younger are looked at again, for a
        /// file system may still change their blocks.
        var settling = Duration.seconds(330)

        static let trial = Sizes(
            treeEntries: 50_000, treeLayers: 20, coldEntries: 20_000, containers: 200, layers: 2_000,
            memoryFiles: 100_000, writtenBytes: 1 << 30, eventFiles: 20_000, probes: 50, runs: 3,
            settling: .zero)
    }

    let sizes: Sizes
    private(set) var figures: [Figure] = []

    init(_ sizes: Sizes) {
        self.sizes = sizes
    }

    func add(_ figure: Figure) {
        figures.append(figure)
        let goal = figure.goal.map { ", goal \(figure.unit.text($0))" } ?? ""
        note("\(figure.measure): \(figure.unit.text(figure.value))\(goal)  \(figure.detail)")
    }

    /// Says what is done, on standard error.
    func note(_ text: String) {
        let line = text + "\n"
        _ = Glibc.write(STDERR_FILENO, line, line.utf8.count)
    }
}
