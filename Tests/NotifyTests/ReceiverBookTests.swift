import Foundation
import Testing
import UsageTestKit
import Wire

@testable import Notify

@Suite("the book of one receiver")
struct ReceiverBookTests {
    /// Applies entries as a store does, with what must go.
    private func apply(_ entry: BookEntry, to book: inout ReceiverBook) -> [BookEntry] {
        book.apply(entry, size: 500)
        var all = [entry]
        for entry in book.entriesToFit() {
            book.apply(entry, size: 0)
            all.append(entry)
        }
        return all
    }

    private func tell(
        _ alerts: [Alert], _ book: inout ReceiverBook, wanted: Bool = true
    ) {
        for alert in alerts {
            if let entry = book.entry(for: alert, isWanted: wanted) { _ = apply(entry, to: &book) }
        }
    }

    private func waiting(_ book: ReceiverBook) -> [String] {
        book.queue.all.map { Samples.transition($0.notice.alert) }
    }

    private func deliverAll(_ book: inout ReceiverBook) -> [Notice] {
        var delivered: [Notice] = []
        while true {
            let batch = book.nextBatch(limit: 64)
            if batch.isEmpty { return delivered }
            delivered += batch.map(\.notice)
            book.apply(.delivered(numbers: batch.map(\.number), at: 1), size: 0)
        }
    }

    @Test("each transition is told once, however often it is heard")
    func once() {
        var book = ReceiverBook()
        let fires = Samples.alert("a", since: 1)
        let ends = Samples.alert("a", .resolved, since: 2)
        tell([fires, fires], &book)
        #expect(deliverAll(&book).map { Samples.transition($0.alert) } == [Samples.transition(fires)])
        tell([fires, ends, ends], &book)
        #expect(deliverAll(&book).map { Samples.transition($0.alert) } == [Samples.transition(ends)])
        tell([ends, Samples.alert("a", since: 3)], &book)
        #expect(waiting(book) == [Samples.transition(Samples.alert("a", since: 3))])
    }

    @Test("a resolved alert is known by what it was when it began to fire")
    func beginning() throws {
        var book = ReceiverBook()
        tell([Samples.alert("a", since: 1, name: "before")], &book)
        tell([Samples.alert("a", .resolved, since: 2, name: "after")], &book)
        let notices = deliverAll(&book)
        let labels = notices.map { AlertLabels($0, instance: "host") }
        #expect(labels[0].labels == labels[1].labels)
        #expect(labels[1].labels["container"] == "before")
        #expect(notices[1].beginning?.since == Samples.time(1))
    }

    @Test("what was resolved before a receiver was new is no news; later it is")
    func firstLook() {
        var book = ReceiverBook()
        let old = Samples.alert("a", .resolved, since: 1)
        tell([old, Samples.alert("b", since: 2)], &book)
        book.apply(.looked, size: 0)
        #expect(waiting(book) == [Samples.transition(Samples.alert("b", since: 2))])
        tell([old], &book)
        #expect(book.waiting == 1)
        let missed = Samples.alert("c", .resolved, since: 3)
        tell([missed], &book)
        #expect(waiting(book).last == Samples.transition(missed))
    }

    @Test("who was told that an alert fires is told of its end, though it is not wanted any more")
    func unwanted() {
        var book = ReceiverBook()
        tell([Samples.alert("a", since: 1)], &book)
        tell([Samples.alert("b", since: 1)], &book, wanted: false)
        _ = deliverAll(&book)
        tell(
            [Samples.alert("a", .resolved, since: 2), Samples.alert("b", .resolved, since: 2)], &book,
            wanted: false)
        #expect(waiting(book) == [Samples.transition(Samples.alert("a", .resolved, since: 2))])
    }

    @Test("an alert that fires and becomes wanted is told")
    func becomesWanted() {
        var book = ReceiverBook()
        let alert = Samples.alert("a", since: 1)
        tell([alert], &book, wanted: false)
        #expect(book.waiting == 0)
        tell([alert], &book)
        #expect(waiting(book) == [Samples.transition(alert)])
    }

    @Test("what is in no list any more was resolved, and is told so once")
    func unlisted() {
        var book = ReceiverBook()
        tell([Samples.alert("a", since: 1), Samples.alert("b", since: 1)], &book)
        _ = deliverAll(&book)
        let kept = Samples.alert("b", since: 1)
        for _ in 0..<2 {
            for entry in book.entriesForUnlisted([AlertKey(kept)], time: Samples.time(9)) {
                _ = apply(entry, to: &book)
            }
        }
        #expect(waiting(book) == [Samples.transition(Samples.alert("a", .resolved, since: 9))])
    }

    @Test(
        "of 100,000 transitions with nobody to take them the last of each alert stays, in order, within the limits"
    )
    func collapse() async throws {
        try await onThread {
            var random = SeededGenerator(seed: 7)
            var limits = ReceiverBook.Limits()
            limits.notices = 2_000
            var book = ReceiverBook(limits: limits)
            var last: [String: Alert] = [:]
            var dropped = 0
            var queued = 0
            for second in 0..<100_000 {
                let container = "c\(Int.random(in: 0..<1_000, using: &random))"
                let state: Alert.State = last[container]?.state == .firing ? .resolved : .firing
                let alert = Samples.alert(container, state, since: second)
                last[container] = alert
                guard let entry = book.entry(for: alert, isWanted: true) else {
                    Issue.record("a new transition is no news: \(alert)")
                    return
                }
                queued += 1
                for entry in apply(entry, to: &book) {
                    if case .dropped(let numbers) = entry { dropped += numbers.count }
                }
                #expect(book.waiting <= 2_000)
            }
            #expect(queued == 100_000)
            #expect(dropped == 100_000 - book.waiting)
            let told = deliverAll(&book).map(\.alert)
            var latest: [String: Alert] = [:]
            for alert in told {
                let container = alert.container
                if let before = latest[container] { #expect(before.since < alert.since) }
                latest[container] = alert
            }
            #expect(latest.mapValues(Samples.transition) == last.mapValues(Samples.transition))
        }
    }

    @Test("of more alerts than there is room for, the newest stay")
    func bounded() async throws {
        try await onThread {
            var limits = ReceiverBook.Limits()
            limits.notices = 1_000
            limits.known = 2_000
            var book = ReceiverBook(limits: limits)
            for second in 0..<30_000 {
                tell([Samples.alert("c\(second)", since: second)], &book)
            }
            #expect(book.waiting == 1_000)
            #expect(book.known.count <= 2_000)
            #expect(Set(deliverAll(&book).map(\.alert.container)) == Set((29_000..<30_000).map { "c\($0)" }))
        }
    }

    @Test("bytes are bounded as well, and one alert's are")
    func bytes() {
        var limits = ReceiverBook.Limits()
        limits.bytes = 1 << 20
        var book = ReceiverBook(limits: limits)
        let name = String(repeating: "\u{1}", count: 100_000)
        for second in 0..<50 {
            let paths = (0..<5).map { PathGrowth(path: "/\($0)" + name, growthBytes: 1) }
            let alert = Samples.alert("c\(second)", since: second, name: name, top: paths)
            guard let entry = book.entry(for: alert, isWanted: true) else { continue }
            book.apply(entry, size: BookFile.encode(entry).count)
            for entry in book.entriesToFit() { book.apply(entry, size: 0) }
            #expect(book.queue.bytes <= 1 << 20)
        }
        #expect(book.waiting > 1)
    }

    @Test(
        "the entries of any history make the same book again, and so do those of a file that was written anew",
        arguments: [UInt64.random(in: 0...UInt64.max)])
    func replay(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var limits = ReceiverBook.Limits()
        limits.notices = 20
        limits.known = 30
        var book = ReceiverBook(limits: limits)
        var history: [BookEntry] = []
        func add(_ entry: BookEntry) { history += apply(entry, to: &book) }
        for second in 0..<2_000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                let batch = book.nextBatch(limit: Int.random(in: 1...5, using: &random))
                add(.delivered(numbers: batch.map(\.number), at: Int64(second)))
            case 1:
                add(
                    .repeated(keys: book.firing(deliveredBefore: Int64(second)).map(\.key), at: Int64(second))
                )
            case 2:
                let listed = Set(book.known.keys.filter { _ in Bool.random(using: &random) })
                for entry in book.entriesForUnlisted(listed, time: Samples.time(second)) { add(entry) }
            default:
                let alert = Samples.alert(
                    "c\(Int.random(in: 0..<40, using: &random))",
                    Bool.random(using: &random) ? .firing : .resolved, since: second)
                if let entry = book.entry(for: alert, isWanted: Int.random(in: 0..<5, using: &random) > 0) {
                    add(entry)
                }
            }
        }
        func replayed(_ entries: [BookEntry]) -> ReceiverBook {
            var book = ReceiverBook(limits: limits)
            for entry in entries {
                let line = BookFile.encode(entry)
                guard let read = BookFile.decode(line.dropLast()) else {
                    Issue.record("a line is not read again, seed \(seed)")
                    continue
                }
                #expect(read == entry)
                book.apply(read, size: line.count)
            }
            return book
        }
        func figures(_ book: ReceiverBook) -> [String] {
            waiting(book)
                + book.known.values.map {
                    "\(Samples.transition($0.notice.alert)) \($0.isTold) \($0.deliveredAt ?? -1)"
                }
                .sorted()
        }
        #expect(figures(replayed(history)) == figures(book), "seed \(seed)")
        #expect(figures(replayed(book.entries())) == figures(book), "seed \(seed)")
    }

    @Test("a batch is of one rule, has each alert once, and passes no older notice of the same alert")
    func batches() {
        var book = ReceiverBook()
        tell(
            [
                Samples.alert("a", since: 1), Samples.alert("a", since: 1, rule: "other"),
                Samples.alert("a", .resolved, since: 2), Samples.alert("b", since: 3),
            ], &book)
        let batches = (0..<3).map { _ in
            let batch = book.nextBatch(limit: 10)
            book.apply(.delivered(numbers: batch.map(\.number), at: 1), size: 0)
            return batch.map {
                "\($0.notice.alert.rule) \($0.notice.alert.container) \($0.notice.alert.state)"
            }
        }
        #expect(batches == [["grow a firing", "grow b firing"], ["other a firing"], ["grow a resolved"]])
    }
}
