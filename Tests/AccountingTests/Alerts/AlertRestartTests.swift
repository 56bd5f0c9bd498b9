import Accounting
import Foundation
import Testing

@Suite("Alerts across a restart")
struct AlertRestartTests {
    private static let rules = [
        AlertRule(name: "size", kind: .size, limitBytes: 1000),
        AlertRule(name: "slow", kind: .size, limitBytes: 1000, forSeconds: 60),
        AlertRule(name: "fast", kind: .growth(windowSeconds: 60), limitBytes: 500),
    ]

    private var host = ContainerHost()
    private var growth = GrowthBook()
    private var book = AlertBook(rules: rules)

    private mutating func observe() -> [String] {
        growth.observe(host.snapshot, at: host.moment)
        return book.observe(host.snapshot, growth: growth, at: host.moment).map {
            "\($0.rule) \($0.state.rawValue)"
        }
    }

    private mutating func breakRules() {
        host.set("web", disk: 100)
        _ = observe()
        host.advance(5)
        host.set("web", disk: 2000)
        #expect(observe() == ["size firing", "fast firing"])
    }

    /// The daemon starts again, with or without what growth it knew.
    private mutating func restart(keepingGrowth: Bool = true, rules: [AlertRule] = rules) -> [AlertRecord] {
        let alerts = book.saved()
        let samples = growth.saved(at: host.moment)
        growth = GrowthBook()
        if keepingGrowth { growth.restore(samples, at: host.moment) }
        book = AlertBook(rules: rules)
        return book.restore(alerts, at: host.moment)
    }

    @Test("what fired goes on firing and is not told again; pending time goes on")
    mutating func goesOn() {
        breakRules()
        let before = book.firing
        host.advance(20)
        #expect(restart().isEmpty)
        #expect(book.firing == before)
        #expect(book.nextDeadline(after: host.moment) == host.moment.uptime)
        #expect(observe().isEmpty)
        host.advance(40)
        #expect(observe() == ["slow firing", "fast resolved"])
        #expect(book.firing.map(\.rule).sorted() == ["size", "slow"])
    }

    @Test("before the store is read again nothing is removed")
    mutating func emptyHost() {
        breakRules()
        _ = restart()
        #expect(book.observe(.empty, growth: growth, at: host.moment).isEmpty)
        var unread = UsageSnapshot.empty
        var other = ContainerHost()
        other.report([
            StoreProblem(severity: .unreadable, object: .store, path: "/store", reason: "not mounted")
        ])
        unread = other.snapshot
        host.advance(3600)
        #expect(book.observe(unread, growth: growth, at: host.moment).isEmpty)
        #expect(book.firing.count == 2)
        #expect(observe() == ["slow firing", "fast resolved"])
    }

    @Test("an alert of a container that went while nothing ran is resolved when its store was read")
    mutating func removedMeanwhile() {
        breakRules()
        _ = restart()
        host.remove("web")
        #expect(observe() == ["fast resolved", "size resolved"])
        #expect(book.recent.allSatisfy { $0.message.contains("container removed") })
    }

    @Test("an alert whose store never comes back is resolved after ten minutes")
    mutating func storeGone() {
        breakRules()
        _ = restart()
        #expect(book.observe(.empty, growth: growth, at: host.moment).isEmpty)
        host.advance(600)
        let records = book.observe(.empty, growth: growth, at: host.moment)
        #expect(records.map(\.rule) == ["fast", "size"])
        #expect(records.first?.message.contains("no longer followed") == true)
        #expect(book.nextDeadline(after: host.moment) == nil)
    }

    @Test("a growth alert does not resolve on what little is known after a restart")
    mutating func lostGrowth() {
        breakRules()
        host.advance(10)
        _ = restart(keepingGrowth: false)
        #expect(observe().isEmpty)
        #expect(book.firing.first { $0.rule == "fast" }?.valueBytes == 1900)
        host.advance(59)
        #expect(observe() == ["slow firing"])
        host.advance(1)
        #expect(observe() == ["fast resolved"])
    }

    @Test("an alert whose rule went from the configuration is resolved at the start")
    mutating func ruleGone() {
        breakRules()
        let records = restart(rules: [Self.rules[0]])
        #expect(records.map { "\($0.rule) \($0.state.rawValue)" } == ["fast resolved"])
        #expect(book.recent == records)
        #expect(book.firing.map(\.rule) == ["size"])
    }

    @Test("alerts resolved before are remembered")
    mutating func recent() {
        breakRules()
        host.set("web", disk: 0)
        #expect(observe() == ["size resolved", "fast resolved"])
        let before = book.recent
        _ = restart()
        #expect(book.recent == before)
        #expect(book.firing.isEmpty)
    }

    @Test("what was saved without the container's store is refused, not taken for another container's")
    func earlierForm() {
        let growth = #"{"containerID":"web","samples":[{"wall":1,"bytes":2}]}"#
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(SavedGrowth.self, from: Data(growth.utf8))
        }
        let alert = #"""
            {"phase":"firing","driver":"directory","root":"/p","record":{"rule":"size","severity":"warning",
            "state":"firing","engine":"plain","container":"web","containerID":"web","image":"","valueBytes":2,
            "limitBytes":1,"since":1,"message":"m","top":[]}}
            """#
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(SavedAlert.self, from: Data(alert.utf8))
        }
    }
}
