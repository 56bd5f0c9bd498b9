import Testing

@testable import Notify

@Suite("waits between tries")
struct BackoffTests {
    @Test("they double up to five minutes, and chance takes up to half of each away")
    func doubling() {
        for (random, share) in [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)] {
            var backoff = Backoff()
            let waits = (0..<12).map { _ in backoff.next(random: random) }
            let full: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
            #expect(waits == full.map { .seconds($0 * share) })
            backoff.reset()
            #expect(backoff.next(random: 1) == .seconds(1))
        }
    }

    @Test("what the receiver asks for is waited, up to five minutes")
    func asked() {
        var backoff = Backoff()
        #expect(backoff.next(asked: .seconds(30), random: 1) == .seconds(30))
        #expect(backoff.next(asked: .seconds(86_400), random: 1) == .seconds(300))
        #expect(backoff.next(asked: .seconds(1), random: 1) == .seconds(4))
    }
}
