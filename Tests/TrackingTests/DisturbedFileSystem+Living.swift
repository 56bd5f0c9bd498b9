import Accounting
import Testing
import UsageTestKit

@testable import Tracking

extension DisturbedFileSystem {
    /// Does random work by the names below `root`, between and in the middle of a tracker's batches, and expects after
    /// each round and what a barrier does that the figure is that of a walk over `layer`.
    ///
    /// Whiteouts are inodes of a walk alone; a layer with such is compared without a count of inodes.
    func live(
        with tracker: LayerTracker<DisturbedFileSystem>, in root: String, layer: String, seed: UInt64,
        rounds: Int, countsInodes: Bool
    ) throws {
        var generator = SeededGenerator(seed: seed)
        var work = RandomSystemCalls(root: root, seed: seed)
        defer { work.finish() }
        for round in 0..<rounds {
            let odds = Int.random(in: 1..<40, using: &generator)
            // As many as let a batch come to an end.
            var left = 0
            disturb = {
                guard left > 0, Int.random(in: 0..<odds, using: &generator) == 0 else { return }
                left -= 1
                work.step()
            }
            for _ in 0..<Int.random(in: 0..<4, using: &generator) {
                for _ in 0..<Int.random(in: 0..<60, using: &generator) { work.step() }
                try deliver(to: tracker)
                left = 100
                _ = refreshMount(of: tracker)
                _ = tracker.runBatch(now: Int64(round)) { [self] in try? deliver(to: tracker) }
            }
            disturb = nil
            let why = Comment("seed \(seed) round \(round)")
            // While ext4 writes a file back its status may count a block twice.
            try FileCalls.writeBack(layer)
            var before: Measure
            var truth = try FullWalk(walking: layer).total
            repeat {
                before = truth
                try settle(tracker, now: Int64(round), why)
                truth = try FullWalk(walking: layer).total
            } while before != truth
            var found = tracker.measure.total
            if !countsInodes { (found.inodes, truth.inodes) = (0, 0) }
            try #require(found == truth, why)
        }
    }

    /// What a barrier does.
    func settle(
        _ tracker: LayerTracker<DisturbedFileSystem>, now: Int64 = 0, _ why: Comment? = nil
    ) throws {
        try deliver(to: tracker)
        tracker.markUnsettled()
        _ = refreshMount(of: tracker)
        _ = tracker.runBatch(now: now) {}
        for _ in 0..<4 where !tracker.isAnswered {
            if tracker.needsAudit { tracker.audit() }
            _ = tracker.runBatch(now: now) {}
        }
        try #require(tracker.isAnswered, why)
        try #require(refreshMount(of: tracker), why)
    }
}
