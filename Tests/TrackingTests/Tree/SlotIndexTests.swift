import Testing
import UsageTestKit

@testable import Tracking

@Suite("Index of slots")
struct SlotIndexTests {
    /// From as good as random to so bad that words meet at the table's end and go on at its begin.
    private static let hashes: [@Sendable (UInt64) -> UInt32] = [
        { UInt32(truncatingIfNeeded: ($0 &* 0x9E37_79B9_7F4A_7C15) >> 29) },
        { UInt32.max - UInt32(truncatingIfNeeded: $0 % 3) },
        { UInt32.max &- UInt32(truncatingIfNeeded: $0 % 50) << 26 },
        { UInt32(truncatingIfNeeded: $0 % 7) << 29 | UInt32(truncatingIfNeeded: $0 & 0xF) },
    ]

    @Test(
        "after any additions and removals each key is at its slot, and no other is",
        arguments: 0..<hashes.count, [30, 700])
    func randomly(_ hash: Int, size: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let hash = Self.hashes[hash]
        var index = SlotIndex()
        var keys: [UInt64] = []
        func slot(_ key: UInt64) -> Int? { index.slot(hash(key)) { keys[$0] == key } }
        for target in [size, 0, size / 2, size / 4, size, 1] {
            while keys.count != target {
                // Towards the target, three steps in four.
                if keys.isEmpty || (Int.random(in: 0..<4, using: &random) < 3) == (keys.count < target) {
                    let key = UInt64.random(in: 0..<UInt64(size * 4), using: &random)
                    guard !keys.contains(key) else { continue }
                    index.append(hash(key)) { hash(keys[$0]) }
                    keys.append(key)
                } else {
                    let slot = Int.random(in: 0..<keys.count, using: &random)
                    index.remove(slot) { hash(keys[$0]) }
                    keys.swapAt(slot, keys.count - 1)
                    keys.removeLast()
                }
            }
            #expect(index.count == keys.count, "seed \(seed)")
            for (expected, key) in keys.enumerated() {
                #expect(slot(key) == expected, "seed \(seed)")
            }
            for key in 0..<UInt64(size * 4) where !keys.contains(key) {
                #expect(slot(key) == nil, "seed \(seed)")
            }
        }
    }

    @Test("its words are at most eight times the slots, and at most twice while slots come")
    func size() {
        var index = SlotIndex()
        func hash(_ slot: Int) -> UInt32 { UInt32(slot) &* 0x9E37_79B9 }
        for slot in 0..<10_000 {
            index.append(hash(slot), hashOf: hash)
            #expect(index.words.count <= max(16, index.count * 2))
            #expect(index.words.count > index.count)
        }
        for slot in (0..<10_000).reversed() {
            index.remove(slot, hashOf: hash)
            #expect(index.words.count <= max(16, index.count * 4))
        }
    }
}
