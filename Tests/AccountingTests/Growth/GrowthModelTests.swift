import Accounting
import Testing
import UsageTestKit

/// Random walks against a model that keeps every change.
@Suite("Growth against a model")
struct GrowthModelTests {
    private struct Model {
        var changes: [(second: Int, bytes: Int64)] = []

        func value(at second: Int) -> Int64 {
            (changes.last { $0.second <= second } ?? changes[0]).bytes
        }

        /// All values that the figure had in the interval, its end included.
        func values(after start: Int, upTo end: Int) -> Set<Int64> {
            Set(changes.filter { $0.second > start && $0.second <= end }.map(\.bytes)).union([
                value(at: start), value(at: end),
            ])
        }
    }

    @Test("growth is right to the resolution of its window's age", arguments: 0..<12 as Range<UInt64>)
    func randomWalk(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        // The origin of the monotonic clock is a multiple of every resolution.
        var host = ContainerHost()
        var book = GrowthBook()
        var model = Model()
        var second = 0
        var bytes: Int64 = 1_000_000
        let busy = Double.random(in: 0...1, using: &random)

        while second < 100_000 {
            host.set("c", disk: bytes)
            book.observe(host.snapshot, at: host.moment)
            model.changes.append((second, bytes))

            for window in [1, 10, 60, 120, 600, 3000, 3600, 20_000, 86_400] where Bool.random(using: &random)
            {
                let found = book.growth(
                    of: ContainerHost.key("c"), withinSeconds: Double(window), at: host.moment)
                let start = second - window
                // One second for two minutes, 15 for an hour, five minutes for a day.
                let resolution = window <= 120 ? 1 : window <= 3600 ? 15 : 300
                let isBoundary = start % resolution == 0
                let now = model.value(at: second)
                let bases =
                    isBoundary
                    ? [model.value(at: start)] : model.values(after: start - resolution, upTo: start)
                try #require(
                    bases.contains(now - found), "seed \(seed), second \(second), window \(window)")
            }
            let count = book.saved(at: host.moment).first?.samples.count ?? 0
            try #require(count < 1000, "seed \(seed), second \(second)")

            let step =
                Double.random(in: 0...1, using: &random) < busy ? 1 : Int.random(in: 1...900, using: &random)
            second += step
            host.advance(Double(step))
            bytes += Int64.random(in: -1000...5000, using: &random)
            if model.changes.count > 4000 { break }
        }
    }

    @Test("a long busy run stays below 1000 samples and keeps its day", arguments: [86_400, 30 * 86_400])
    func bounded(retention: Int) async {
        var host = ContainerHost()
        var book = GrowthBook(retentionSeconds: Double(retention))
        for step in 0..<100_000 {
            // Others wait for these threads.
            if step % 1000 == 0 { await Task.yield() }
            host.set("c", disk: Int64(step) * 10)
            book.observe(host.snapshot, at: host.moment)
            host.advance(1)
        }
        #expect(book.saved(at: host.moment).first.map { $0.samples.count < 1000 } == true)
        let day = book.growth(of: ContainerHost.key("c"), withinSeconds: 86_400, at: host.moment)
        let resolution = Int64(300 * max(1, retention / 86_400))
        #expect((864_000 - 10...864_000 + 10 * resolution).contains(day))
    }
}
