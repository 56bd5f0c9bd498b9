import Accounting
import Foundation
import Glibc
import Kernel
import Settings
import Stores
import Testing
import UsageTestKit

@testable import Daemon

@Suite("paths that changed")
struct PathNotesTests {
    private static let store = StoreIdentity(engine: "plain", driver: "directory", root: "/p")
    private static let layer = LayerKey(store: store, id: "l")
    private static let container = ContainerKey(store: store, id: "c")

    private static func snapshot() -> UsageSnapshot {
        var ledger = Ledger()
        _ = ledger.update(
            StoreFacts(
                store: store, layers: [LayerFact(id: "l", kind: .container, directory: "/p/l")],
                containers: [ContainerFact(id: "c", name: "c", layer: "l")]))
        return ledger.snapshot()
    }

    @Test("changes of one path add up, those that cancel out are dropped, and the largest come first")
    func sums() {
        var notes = PathNotes()
        notes.add(
            [PathGrowth(path: "/a", diskBytes: 10), PathGrowth(path: "/b", diskBytes: -70)], to: Self.layer)
        notes.add(
            [PathGrowth(path: "/a", diskBytes: 25), PathGrowth(path: "/c", diskBytes: 5)], to: Self.layer)
        notes.add([PathGrowth(path: "/c", diskBytes: -5)], to: Self.layer)
        #expect(
            notes.take(Self.snapshot()) == [
                Self.container: [
                    PathGrowth(path: "/b", diskBytes: -70), PathGrowth(path: "/a", diskBytes: 35),
                ]
            ])
        #expect(notes.take(Self.snapshot()).isEmpty, "they are told once")
    }

    @Test("of very many paths few are kept, and the largest is one of them")
    func bounds() {
        var notes = PathNotes()
        for index in 1...5000 {
            notes.add([PathGrowth(path: "/\(index)", diskBytes: Int64(index % 4999))], to: Self.layer)
        }
        let kept = notes.take(Self.snapshot())[Self.container] ?? []
        #expect((1...64).contains(kept.count))
        #expect(kept.first == PathGrowth(path: "/4998", diskBytes: 4998))
    }

    @Test("sums beyond 64 bits stay at the limit")
    func clamps() {
        var notes = PathNotes()
        for _ in 0..<2 { notes.add([PathGrowth(path: "/a", diskBytes: .max)], to: Self.layer) }
        for _ in 0..<2 { notes.add([PathGrowth(path: "/b", diskBytes: .min)], to: Self.layer) }
        let kept = notes.take(Self.snapshot())[Self.container] ?? []
        #expect(
            Set(kept) == [PathGrowth(path: "/a", diskBytes: .max), PathGrowth(path: "/b", diskBytes: .min)])
    }
}

@Suite("the books of the last day")
struct MarkHistoryTests {
    private static let second: Int64 = 1_000_000_000

    private static func moment(_ seconds: Int64) -> Moment {
        Moment(uptime: seconds * second, wall: (1_700_000_000 + seconds) * second)
    }

    /// The mark's own time in seconds, on the clock of ``moment(_:)``.
    private static func time(_ mark: Mark?) -> Int64? {
        mark.map { $0.wall / second - 1_700_000_000 }
    }

    @Test(
        "a duration finds books that are old enough and not much older, and few are kept",
        arguments: [7_598_431_074_710_769_075, UInt64.random(in: 0...UInt64.max)])
    func lookup(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var history = MarkHistory()
        var now: Int64 = 1000
        var noted: [Int64] = []
        #expect(history.mark(secondsAgo: 10, at: Self.moment(now)) == nil)
        for _ in 0..<4000 {
            now += .random(in: 1...90, using: &random)
            if history.isDue(at: Self.moment(now)) { noted.append(now) }
            history.note(.empty, at: Self.moment(now), isExact: true, usedBytes: [:])
            #expect(history.count <= 60, "seed \(seed)")
            let ago = Int64.random(in: 1...100_000, using: &random)
            let found = Self.time(history.mark(secondsAgo: Double(ago), at: Self.moment(now)))
            guard let found else {
                Issue.record("seed \(seed): nothing was found")
                return
            }
            #expect(noted.contains(found), "seed \(seed)")
            let oldest = max(noted[0], now - 90_000)
            guard now - ago > oldest + 3600 else { continue }
            // Spacing is by steps of the clock, so that two kept ones may be up to two steps apart. Two of the first
            // ten minutes are 150 s apart at most, and the older must not be of those before.
            let slack: Int64 = ago < 450 ? 180 : ago < 6000 ? 1400 : 7400
            #expect(found <= now - ago && found >= now - ago - slack, "seed \(seed): \(ago) s ago, \(found)")
        }
        // The next one is a minute after the last.
        #expect(zip(noted, noted.dropFirst()).allSatisfy { $1 - $0 >= 60 })
    }

    @Test("a host with very many layers has fewer moments, and always the latest")
    func weight() {
        let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/d")
        var ledger = Ledger()
        var facts = StoreFacts(store: store)
        facts.layers = (0..<90_000).map { LayerFact(id: "\($0)", kind: .image, directory: "/d/\($0)") }
        var history = MarkHistory()
        for minute in 0..<8 {
            _ = ledger.update(facts)
            history.note(
                ledger.snapshot(), at: Self.moment(Int64(minute) * 60), isExact: true, usedBytes: [:])
        }
        #expect(history.count == 4)
        #expect(Self.time(history.mark(secondsAgo: 0, at: Self.moment(420))) == 420)

        // Books that do not change weigh once.
        let still = ledger.snapshot()
        var quiet = MarkHistory()
        for minute in 0..<8 {
            quiet.note(
                still, at: Self.moment(Int64(minute) * 60), isExact: minute != 6,
                usedBytes: ["/": Int64(minute)])
        }
        #expect(quiet.count == 8)
        #expect(quiet.mark(secondsAgo: 60, at: Self.moment(420))?.usedBytes == ["/": 6])
        #expect(quiet.mark(secondsAgo: 60, at: Self.moment(420))?.isExact == false)
        #expect(quiet.mark(secondsAgo: 0, at: Self.moment(420))?.isExact == true)
    }
}

@Suite("the line for the service manager")
struct StatusLineTests {
    private static let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/d")

    private static func ledger(_ bytes: [Int64]) -> Ledger {
        var ledger = Ledger()
        _ = ledger.update(
            StoreFacts(
                store: store,
                layers: bytes.indices.map { LayerFact(id: "\($0)", kind: .container, directory: "/d/\($0)") })
        )
        for (index, count) in bytes.enumerated() {
            ledger.record(
                LayerKey(store: store, id: "\(index)"),
                LayerMeasure(total: Measure(diskBytes: count, sizeBytes: count, inodes: 1)),
                confidence: .exact)
        }
        return ledger
    }

    @Test(
        "sizes read as Docker prints them",
        arguments: [
            (0, "0B"), (999, "999B"), (1000, "1kB"), (20_971_520, "20.97MB"), (5_250_000_000, "5.25GB"),
        ] as [(Int64, String)])
    func sizes(bytes: Int64, text: String) {
        var ledger = Self.ledger([bytes])
        #expect(
            StatusLine.text(ledger.snapshot(), isRead: true) == "1 containers \(text), 0 image layers 0B")
    }

    @Test("it says what is missing: the first reading, a store, measures")
    func missing() {
        #expect(StatusLine.text(.empty, isRead: false) == "Reading the stores")
        #expect(StatusLine.text(.empty, isRead: true) == "No store found on this host")
        #expect(
            StatusLine.text(.empty, isRead: true, problem: "/c:1:2: a: wrong\n/c:2:1: b: too\n/c:3:1: c: too")
                == "The configuration is wrong, the old one stays: /c:1:2: a: wrong and 2 more; No store found on this host"
        )
        var ledger = Self.ledger([100])
        _ = ledger.update(
            StoreFacts(
                store: Self.store,
                layers: (0..<3).map { LayerFact(id: "\($0)", kind: .container, directory: "/d/\($0)") }))
        #expect(StatusLine.text(ledger.snapshot(), isRead: true).hasSuffix("; measured 1 of 3 layers"))
    }

    @Test("a store in trouble is named with its state")
    func trouble() {
        var ledger = Self.ledger([100])
        ledger.fail(LayerKey(store: Self.store, id: "0"), reason: "gone")
        #expect(StatusLine.text(ledger.snapshot(), isRead: true).hasSuffix("; /d is stale"))
    }
}

@Suite("kinds of stores")
struct StoreKindTests {
    @Test("the configuration and the readers know the same kinds")
    func agree() {
        #expect(Settings.Store.Kind.allCases.map(\.rawValue) == StoreKind.allCases.map(\.rawValue))
    }
}

@Suite("durations in questions")
struct DurationTextTests {
    @Test(
        "a duration is in seconds",
        arguments: [("1s", 1), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("1500ms", 1.5)]
            as [(String, Double)])
    func right(text: String, seconds: Double) {
        #expect(DurationText.seconds(text) == seconds)
    }

    @Test(
        "what is no duration of a second or more is none",
        arguments: ["", "release", "10", "-5m", "0s", "999ms", "m", "1x", "1h30", " 1h", "1e3s"])
    func wrong(text: String) {
        #expect(DurationText.seconds(text) == nil)
    }
}
