import Journal
import Testing
import UsageTestKit

@Suite("The bound on records of a kind")
struct RecordLimiterTests {
    @Test("so many records of a kind pass within an interval, then no more until it is over")
    func limit() {
        let limiter = Subject(limit: 3, interval: 100)
        #expect(
            (0..<5).map { limiter.admits(.containerAdded, at: 10 + $0) } == [true, true, true, false, false])
        #expect(limiter.nextDue == 110)
        let early = limiter.takeSuppressed(at: 109)
        #expect(early.isEmpty)
        #expect(limiter.admits(.containerAdded, at: 110))
        let told = limiter.takeSuppressed(at: 110)
        #expect(told.count == 1)
        #expect(told.first?.kind == .containerAdded && told.first?.count == 2)
        let again = limiter.takeSuppressed(at: 1000)
        #expect(again.isEmpty)
        #expect(limiter.nextDue == nil)
    }

    @Test("a flood of one kind hides no other, and records of no kind count together")
    func kindsAreApart() {
        let limiter = Subject(limit: 1, interval: 100)
        #expect(limiter.admits(.imageAdded, at: 0))
        #expect(!limiter.admits(.imageAdded, at: 1))
        #expect(limiter.admits(.imageRemoved, at: 1))
        #expect(limiter.admits(nil, at: 1))
        #expect(!limiter.admits(nil, at: 2))
        let kinds = limiter.takeSuppressed(at: 200).map(\.kind)
        #expect(kinds == [nil, .imageAdded])
    }

    @Test("alerts always pass")
    func alerts() {
        let limiter = Subject(limit: 0, interval: 100)
        #expect(!limiter.admits(.polling, at: 0))
        for kind in [RecordKind.alertFiring, .alertResolved] {
            let passed = (0..<1000).filter { limiter.admits(kind, at: $0) }
            #expect(passed.count == 1000)
        }
    }

    @Test("every record is either passed or told of, and no interval passes more than the limit")
    func nothingIsLost() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let limiter = Subject(limit: 5, interval: 1000)
        let kinds: [RecordKind?] = [nil, .containerAdded, .queueOverflow]
        var passed: [RecordKind?: [Int64]] = [:]
        var told: [RecordKind?: Int] = [:]
        var offered: [RecordKind?: Int] = [:]
        var time: Int64 = 0
        for _ in 0..<5000 {
            time += Int64.random(in: 0...200, using: &generator)
            let kind = kinds[Int.random(in: 0..<3, using: &generator)]
            offered[kind, default: 0] += 1
            if limiter.admits(kind, at: time) { passed[kind, default: []].append(time) }
            if Int.random(in: 0..<50, using: &generator) == 0 {
                for (kind, count) in limiter.takeSuppressed(at: time) { told[kind, default: 0] += count }
            }
        }
        for (kind, count) in limiter.takeSuppressed(at: .max) { told[kind, default: 0] += count }
        for kind in kinds {
            let times = passed[kind] ?? []
            #expect(offered[kind] == times.count + (told[kind] ?? 0), "seed \(seed)")
            // Two neighbouring intervals at most touch any span of one interval's length.
            for (index, start) in times.enumerated() {
                #expect(times[index...].prefix { $0 < start + 1000 }.count <= 10, "seed \(seed)")
            }
        }
    }

    @Test("times at the end of the range do not trap")
    func extremes() {
        let limiter = Subject(limit: 1, interval: .max)
        #expect(limiter.admits(.polling, at: .max - 1))
        #expect(!limiter.admits(.polling, at: .max - 1))
        let last = limiter.takeSuppressed(at: .max)
        #expect(last.count == 1)
    }
}

/// `#expect` takes no mutating call.
private final class Subject {
    private var limiter: RecordLimiter

    init(limit: Int, interval: Int64) {
        limiter = RecordLimiter(limit: limit, interval: interval)
    }

    var nextDue: Int64? { limiter.nextDue }

    func admits(_ kind: RecordKind?, at uptime: Int64) -> Bool {
        limiter.admits(kind, at: uptime)
    }

    func takeSuppressed(at uptime: Int64) -> [(kind: RecordKind?, count: Int)] {
        limiter.takeSuppressed(at: uptime)
    }
}
