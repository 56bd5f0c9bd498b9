import Accounting
import FoundationEssentials

@testable import History

extension FuzzTarget {
    /// What a damaged state file can hold in place of what the daemon wrote.
    ///
    /// The first byte chooses which of its values; the rest is the value.
    static let state = FuzzTarget(name: "state") { bytes in
        var input = FuzzInput(bytes)
        let which = input.byte() % 4
        let value = Array(input.rest)
        switch which {
        case 0:
            guard let linked = BlobCoding.decodeLinked(value) else { return }
            try require(BlobCoding.decodeLinked(BlobCoding.encode(linked)) == linked, "linked inodes")
        case 1:
            guard let mark = BlobCoding.decodeMark(value) else { return }
            try require(BlobCoding.decodeMark(BlobCoding.encode(mark)) == mark, "a mark")
            _ = MarkDifference(from: mark, to: .empty)
        case 2:
            guard let saved = try? JSONDecoder().decode([SavedAlert].self, from: Data(value)) else { return }
            try restore(saved)
        default:
            guard let saved = try? JSONDecoder().decode([SavedGrowth].self, from: Data(value)) else { return }
            try restore(saved)
        }
    }

    private static let moments = [
        Moment(uptime: 1, wall: 0), Moment(uptime: 3_600_000_000_000, wall: 1_764_000_000_000_000_000),
        Moment(uptime: .max, wall: .max),
    ]

    private static func restore(_ saved: [SavedAlert]) throws {
        let rules = [
            AlertRule(name: "big", kind: .size, limitBytes: 1_000_000),
            AlertRule(name: "fast", kind: .growth(windowSeconds: 60), limitBytes: 1000, forSeconds: 30),
        ]
        for moment in moments {
            var book = AlertBook(rules: rules)
            _ = book.restore(saved, at: moment)
            try require(
                book.firing.allSatisfy { alert in rules.contains { $0.name == alert.rule } },
                "only alerts of rules in force fire")
            _ = book.nextDeadline(after: moment)
            _ = book.observe(.empty, growth: GrowthBook(), at: moment.advanced(bySeconds: 60))
            var again = AlertBook(rules: rules)
            _ = again.restore(book.saved(), at: moment)
        }
    }

    private static func restore(_ saved: [SavedGrowth]) throws {
        for moment in moments {
            var book = GrowthBook()
            book.restore(saved, at: moment)
            for container in saved.prefix(8) {
                let key = ContainerKey(store: container.store, id: container.containerID)
                _ = book.growth(of: key, at: moment)
                _ = book.reach(of: key, at: moment)
                _ = book.nextChange(of: key, withinSeconds: 60, at: moment)
            }
            book.observe(.empty, at: moment.advanced(bySeconds: 60))
            let kept = book.saved(at: moment)
            for container in kept {
                try require(
                    zip(container.samples, container.samples.dropFirst()).allSatisfy { $0.wall <= $1.wall },
                    "samples are in the order of time")
            }
            var again = GrowthBook()
            again.restore(kept, at: moment)
        }
    }
}
