import Testing
import UsageTestKit

@testable import Accounting

/// Lists of all lengths at which blocks and groups begin, against plain arrays.
@Suite("A list whose versions share")
struct SharedListTests {
    @Test(
        "a version has what was put there, the one before what it had, and the difference is what was put",
        arguments: [0, 1, 31, 32, 33, 1023, 1024, 1025, 3000])
    func versions(length: Int) throws {
        let seed = UInt64(length)
        var random = SeededGenerator(seed: seed)
        var model = (0..<length).map { $0 }
        var list = SharedList(model)
        try #require(Array(list) == model)
        for step in 0..<50 {
            let before = (list, model)
            var places: Set<Int> = []
            for _ in 0..<([0, 1, 3, 40].randomElement(using: &random) ?? 1) {
                guard let place = model.indices.randomElement(using: &random) else { break }
                places.insert(place)
                model[place] = Int.random(in: 0..<10, using: &random)
                list[place] = model[place]
            }
            try #require(list.changes(since: before.0) == places.sorted(), "seed \(seed), step \(step)")
            try #require(Array(list) == model, "seed \(seed), step \(step)")
            try #require(Array(before.0) == before.1, "seed \(seed), step \(step)")
        }
    }

    @Test("lists one after the other are found by one position")
    func joined() {
        let parts = [[1, 2], [], [3], Array(4..<100)]
        let list = JoinedList(parts.map { SharedList($0) })
        #expect(Array(list) == Array(1..<100))
        #expect(list.indices.map { list[$0] } == Array(1..<100))
    }
}

@Suite("What is due when")
struct AgendaTests {
    @Test(
        "what is due comes once, when it is called for, and the next is known",
        arguments: 0..<10 as Range<UInt64>)
    func model(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var agenda = Agenda<Int>()
        var model: [Int: Int64] = [:]
        var now: Int64 = 0
        for step in 0..<3000 {
            let key = Int.random(in: 0..<12, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0..<4:
                let time = now + Int64.random(in: 0..<50, using: &random)
                agenda.call(key, at: time)
                model[key] = min(model[key] ?? .max, time)
            case 4, 5:
                agenda.cancel(key)
                model[key] = nil
            default:
                now += Int64.random(in: 0..<20, using: &random)
                let due = model.filter { $0.value <= now }.keys.sorted()
                try #require(agenda.takeDue(at: now).sorted() == due, "seed \(seed), step \(step)")
                for key in due { model[key] = nil }
            }
            try #require(agenda.next == model.values.min(), "seed \(seed), step \(step)")
            try #require(agenda.keys.sorted() == model.keys.sorted(), "seed \(seed), step \(step)")
        }
    }
}
