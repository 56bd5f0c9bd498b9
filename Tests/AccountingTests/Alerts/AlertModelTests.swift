import Accounting
import Testing
import UsageTestKit

/// Random hosts against rules judged in the plainest way, second by second, from all figures there ever were.
@Suite("Alerts against a model")
struct AlertModelTests {
    private struct Model {
        enum Phase: Hashable {
            case ok
            case pending(since: Int)
            case firing
        }

        /// By container: the figure in each second from its first on.
        var figures: [String: (first: Int, bytes: [Int64])] = [:]
        var phases: [String: Phase] = [:]

        func value(_ rule: AlertRule, _ id: String, second: Int) -> Int64 {
            guard let (first, bytes) = figures[id] else { return 0 }
            let now = bytes[second - first]
            guard let window = rule.kind.windowSeconds else { return now }
            return now - bytes[max(0, second - window - first)]
        }

        mutating func step(_ rules: [AlertRule], second: Int, known: Set<String>, removed: [String])
            -> [String]
        {
            var transitions: [String] = []
            for rule in rules {
                for id in removed where phases.removeValue(forKey: "\(rule.name) \(id)") == .firing {
                    transitions.append("\(second) \(rule.name) \(id) resolved")
                }
                for id in known {
                    let key = "\(rule.name) \(id)"
                    let value = value(rule, id, second: second)
                    var phase = phases[key] ?? .ok
                    if phase == .firing {
                        if value < rule.clearBytes {
                            phase = .ok
                            transitions.append("\(second) \(key) resolved")
                        }
                    } else if value <= rule.limitBytes {
                        phase = .ok
                    } else {
                        if phase == .ok { phase = .pending(since: second) }
                        if case .pending(let since) = phase, second - since >= rule.forSeconds {
                            phase = .firing
                            transitions.append("\(second) \(key) firing")
                        }
                    }
                    phases[key] = phase
                }
            }
            return transitions
        }
    }

    private static func rules(_ random: inout SeededGenerator) -> [AlertRule] {
        (0..<5).map { index in
            let isGrowth = Bool.random(using: &random)
            let limit = Int64.random(in: 1...(isGrowth ? 300 : 1500), using: &random)
            return AlertRule(
                name: "r\(index)",
                kind: isGrowth ? .growth(windowSeconds: Int.random(in: 1...60, using: &random)) : .size,
                limitBytes: limit, clearBytes: Int64.random(in: 1...limit, using: &random),
                forSeconds: Bool.random(using: &random) ? 0 : Int.random(in: 1...40, using: &random))
        }
    }

    @Test(
        "transitions are the model's, though the book is asked only at changes and deadlines and restarted",
        arguments: 0..<30 as Range<UInt64>)
    func randomHosts(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let rules = Self.rules(&random)
        var host = ContainerHost()
        var growth = GrowthBook()
        var book = AlertBook(rules: rules)
        var model = Model()
        var figures: [String: Int64] = [:]
        var nextContainer = 0

        for second in 0..<1500 {
            var hasChanged = second == 0
            var removed: [String] = []
            if Int.random(in: 0..<40, using: &random) == 0, figures.count < 4 {
                let id = "c\(nextContainer)"
                nextContainer += 1
                figures[id] = Int64.random(in: 0...1500, using: &random)
                host.set(id, disk: figures[id] ?? 0)
                hasChanged = true
            }
            for id in figures.keys.sorted() where Int.random(in: 0..<8, using: &random) == 0 {
                if Int.random(in: 0..<20, using: &random) == 0 {
                    figures[id] = nil
                    host.remove(id)
                    removed.append(id)
                } else {
                    let step = Int64.random(in: -200...250, using: &random)
                    figures[id] = max(0, (figures[id] ?? 0) + step)
                    host.set(id, disk: figures[id] ?? 0)
                }
                hasChanged = true
            }
            for (id, bytes) in figures {
                model.figures[id, default: (second, [])].bytes.append(bytes)
            }
            let expected = model.step(rules, second: second, known: Set(figures.keys), removed: removed)
            for id in removed { model.figures[id] = nil }

            if Int.random(in: 0..<100, using: &random) == 0 {
                let saved = (book.saved(), growth.saved(at: host.moment))
                growth = GrowthBook()
                growth.restore(saved.1, at: host.moment)
                book = AlertBook(rules: rules)
                try #require(book.restore(saved.0, at: host.moment).isEmpty)
            }
            let isDue = book.nextDeadline(after: host.moment).map { $0 <= host.moment.uptime } ?? false
            var found: [AlertRecord] = []
            if hasChanged || isDue {
                growth.observe(host.snapshot, at: host.moment)
                found = book.observe(host.snapshot, growth: growth, at: host.moment)
            }
            let words = found.map { "\(second) \($0.rule) \($0.containerID) \($0.state.rawValue)" }
            try #require(words.sorted() == expected.sorted(), "seed \(seed)")
            let firing = book.firing.map { "\($0.rule) \($0.containerID)" }
            try #require(
                firing.sorted() == model.phases.filter { $0.value == .firing }.keys.sorted(), "seed \(seed)")
            host.advance(1)
        }
    }
}
