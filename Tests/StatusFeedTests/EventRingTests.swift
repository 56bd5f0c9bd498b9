import Testing
import UsageTestKit
import Wire

@testable import StatusFeed

@Suite struct EventRingTests {
    @Test("any reader gets every event once and in order, or is told the exact number it lost")
    func model() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let first = Int64.random(in: -5...5, using: &random)
            let capacity = Int.random(in: 1...20, using: &random)
            var ring = EventRing(firstID: first, capacity: capacity, costLimit: .max)
            var reader = first
            var accounted: Int64 = 0
            for _ in 0..<300 {
                if Bool.random(using: &random) {
                    var event = FeedEvent.numbered(0)
                    event.id = ring.nextID
                    ring.append(FeedEntry(event))
                    continue
                }
                switch ring.read(after: reader, limit: Int.random(in: 1...8, using: &random)) {
                case .caughtUp:
                    #expect(reader == ring.lastID, "seed \(seed)")
                case .events(let entries):
                    #expect(
                        entries.map(\.event.id) == (0..<entries.count).map { reader + 1 + Int64($0) },
                        "seed \(seed)")
                    reader += Int64(entries.count)
                    accounted += Int64(entries.count)
                case .gap(let lost, let last):
                    #expect(ring.lastID - reader > Int64(capacity), "seed \(seed)")
                    reader = last
                    accounted += lost
                }
                #expect(accounted == reader - first, "seed \(seed)")
            }
        }
    }

    @Test("events with long paths leave the ring earlier, the newest always stays")
    func costLimit() {
        let hub = FeedHub(firstID: 0)
        for number in 1...100 { hub.publish(.numbered(number, padding: 1 << 20)) }
        guard case .gap(let lost, 100) = hub.read(after: 0, limit: 1) else {
            Issue.record("a hundred megabytes are kept")
            return
        }
        #expect(lost == 100)
        guard case .events(let entries) = hub.read(after: 99, limit: 10) else {
            Issue.record("the newest is not kept")
            return
        }
        #expect(entries.map(\.event.time) == ["100"])
    }

    @Test("snapshots and heartbeats are not published")
    func onlyChanges() {
        let hub = FeedHub(firstID: 5)
        hub.publish(FeedEvent(type: .heartbeat, id: 0, time: ""))
        hub.publish(FeedEvent(type: .snapshot, id: 0, time: ""))
        #expect(hub.lastID == 5)
        hub.publish(.numbered(1))
        #expect(hub.lastID == 6)
    }

    @Test("a first id at the end of the numbers does not trap", arguments: [Int64.max, .min])
    func extremes(firstID: Int64) {
        let hub = FeedHub(firstID: firstID)
        hub.publish(.numbered(1))
        _ = hub.read(after: 0, limit: 1)
        _ = hub.read(after: .max, limit: 1)
        _ = hub.read(after: .min, limit: 1)
    }
}
