import Testing

@testable import Tracking

@Suite("How often a layer is looked at that changes all the time")
struct PaceTests {
    private let interval: Int64 = 30_000_000

    /// When a layer is looked at that has marks at these times, with a batch each interval.
    private func looks(_ marks: [Int64], until end: Int64) -> [Int64] {
        var pace = Pace()
        var looks: [Int64] = []
        var rest = marks[...]
        var isMarked = false
        for now in stride(from: interval, to: end, by: Int(interval)) {
            while let mark = rest.first, mark <= now {
                isMarked = true
                rest.removeFirst()
            }
            guard isMarked, now >= pace.next(interval: interval) else { continue }
            pace.note(now, interval: interval)
            looks.append(now)
            isMarked = false
        }
        return looks
    }

    private func pauses(_ looks: [Int64]) -> [Int64] {
        zip(looks.dropFirst(), looks).map { ($0 - $1) / interval }
    }

    @Test("after half a second without a pause every fourth batch looks")
    func busy() {
        let marks = Array(stride(from: Int64(0), to: 3_000_000_000, by: 1_000_000))
        let pauses = pauses(looks(marks, until: 3_000_000_000))
        #expect(pauses.prefix(Pace.patience - 1).allSatisfy { $0 == 1 })
        #expect(pauses.dropFirst(Pace.patience - 1).allSatisfy { $0 == Pace.batches })
        #expect(pauses.count > 2 * Pace.patience)
    }

    @Test("one that rests now and then is looked at in each batch, and so is one that was busy before")
    func rests() {
        let seldom = Array(stride(from: Int64(0), to: 3_000_000_000, by: 100_000_000))
        #expect(looks(seldom, until: 3_000_000_000).count == seldom.count)
        let before = Array(stride(from: Int64(0), to: 1_500_000_000, by: 1_000_000))
        let after = (0..<5).map { 2_000_000_000 + $0 * 60_000_000 as Int64 }
        let looks = looks(before + after, until: 3_000_000_000).filter { $0 > 1_990_000_000 }
        #expect(looks.count == after.count)
    }

    @Test("what is marked last is looked at within four batches")
    func last() {
        for end in stride(from: Int64(900_000_000), to: 1_100_000_000, by: 7_000_000) {
            let marks = Array(stride(from: Int64(0), through: end, by: 1_000_000))
            let last = looks(marks, until: 3_000_000_000).last ?? 0
            #expect(last >= end)
            #expect(last <= end + (Pace.batches + 1) * interval)
        }
    }
}
