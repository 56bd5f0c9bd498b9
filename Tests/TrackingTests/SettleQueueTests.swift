import Testing
import UsageTestKit

@testable import Tracking

@Suite("Settle queue")
struct SettleQueueTests {
    private static let second: Int64 = 1_000_000_000

    @Test("files that are written and go, and hot ones, leave no more behind than the queue may hold")
    func bounded() {
        var queue = SettleQueue(delaysSeconds: [35, 320])
        var longest = 0
        for inode in 0..<300_000 as Range<UInt64> {
            let now = Int64(inode) * Self.second
            queue.noteWrite(of: inode, at: now)
            queue.noteWrite(of: 7, at: now)
            if inode >= 100, inode != 107 { queue.forget(inode - 100) }
            longest = max(longest, queue.order[0].count)
        }
        #expect(longest <= 2 * SettleQueue.limit)
        #expect(Set(queue.inodes) == Set([7] + (299_900..<300_000 as Range<UInt64>)))
        #expect(!queue.hasOverflowed)
    }

    @Test("each file is due at each of its times, whatever is written and forgotten meanwhile")
    func randomly() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var queue = SettleQueue(delaysSeconds: [35, 320])
        /// When each was written last, and which of its times have passed.
        var model: [UInt64: (written: Int64, stage: Int)] = [:]
        var now: Int64 = 0
        for _ in 0..<50_000 {
            now += Self.second
            let inode = UInt64.random(in: 0..<1_000, using: &random)
            if Int.random(in: 0..<3, using: &random) == 0 {
                queue.forget(inode)
                model[inode] = nil
            } else {
                queue.noteWrite(of: inode, at: now)
                model[inode] = (now, 0)
            }
            guard Int.random(in: 0..<10, using: &random) == 0 else { continue }
            var due: Set<UInt64> = []
            for (inode, known) in model {
                guard known.written + [35, 320][known.stage] * Self.second <= now else { continue }
                due.insert(inode)
                if known.stage == 0 { model[inode]?.stage = 1 } else { model[inode] = nil }
                // Both of its times may have passed.
                if known.stage == 0, known.written + 320 * Self.second <= now { model[inode] = nil }
            }
            #expect(Set(queue.takeDue(at: now)) == due, "seed \(seed)")
            #expect(Set(queue.inodes) == Set(model.keys), "seed \(seed)")
        }
    }
}
