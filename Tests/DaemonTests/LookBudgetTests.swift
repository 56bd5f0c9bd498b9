import Testing
import UsageTestKit

@testable import Daemon

@Suite("How often open files are looked at for answers")
struct LookBudgetTests {
    private static let second: Int64 = 1_000_000_000

    @Test("a few looks after a rest begin at once")
    func burst() {
        var budget = LookBudget()
        let now = 500 * Self.second
        for _ in 0..<20 {
            #expect(budget.next(at: now) == now)
            budget.spend(9_000_000, at: now)
        }
    }

    @Test("whoever asks all the time has a fifth of a core", arguments: [UInt64.random(in: 0...UInt64.max)])
    func share(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var budget = LookBudget()
        let start = 500 * Self.second
        var now = start
        var spent: Int64 = 0
        while now < start + 100 * Self.second {
            let next = budget.next(at: now)
            #expect(next >= now, "seed \(seed)")
            let cost = Int64.random(in: 1...400_000_000, using: &random)
            now = next + cost
            budget.spend(cost, at: now)
            spent += cost
        }
        // The first fifth of a second, and one look more than there was time for.
        let most = (now - start) / 5 + 200_000_000 + 400_000_000
        #expect(spent <= most, "seed \(seed)")
        #expect(spent >= (now - start) / 5 - 400_000_000, "seed \(seed)")
    }
}
