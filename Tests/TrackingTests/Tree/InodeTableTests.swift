import Testing
import UsageTestKit

@testable import Tracking

@Suite("Table of inodes")
struct InodeTableTests {
    @Test(
        "after any additions, changes and removals it holds what a dictionary holds",
        arguments: [5, 300, 3_000])
    func randomly(_ size: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var table = InodeTable<Int>()
        var model: [UInt64: Int] = [:]
        for target in [size, 0, size, size / 10, size / 2] {
            while model.count != target {
                let inode = UInt64.random(in: 0..<UInt64(size * 2), using: &random)
                if let slot = table.slot(of: inode) {
                    #expect(model[inode] == table[slot], "seed \(seed)")
                    if model.count > target || Int.random(in: 0..<4, using: &random) == 0 {
                        #expect(table.remove(inode) == model.removeValue(forKey: inode), "seed \(seed)")
                    } else {
                        let record = Int.random(in: 0..<1_000_000, using: &random)
                        table[slot] = record
                        model[inode] = record
                    }
                } else {
                    #expect(model[inode] == nil, "seed \(seed)")
                    #expect(table.remove(inode) == nil, "seed \(seed)")
                    guard model.count < target else { continue }
                    let record = Int.random(in: 0..<1_000_000, using: &random)
                    let slot = table.insert(record, of: inode)
                    #expect(table.inode(at: slot) == inode, "seed \(seed)")
                    model[inode] = record
                }
            }
            #expect(table.count == model.count, "seed \(seed)")
            let held = (0..<table.count).map { (table.inode(at: $0), table[$0]) }
            #expect(Dictionary(held) { first, _ in first } == model, "seed \(seed)")
        }
    }

    @Test("it reserves a chunk and some words more than it holds, and gives back what went")
    func size() {
        var table = InodeTable<Int>()
        // The first chunk grows by doubling, from what the allocator happened to give, and may end with room for as many
        // again.
        let rounding = 256
        for inode in 0..<20_000 as Range<UInt64> {
            table.insert(0, of: inode)
            #expect(table.capacity.records <= table.count + 256 + rounding + table.count / 100)
        }
        for inode in 0..<20_000 as Range<UInt64> {
            table.remove(inode)
            #expect(table.capacity.records <= table.count + 256 + rounding + table.count / 100)
            #expect(table.capacity.words <= max(16, table.count * 4))
        }
    }
}
