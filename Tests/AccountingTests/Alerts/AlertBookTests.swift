import Accounting
import Testing

@Suite("Alert rules")
struct AlertBookTests {
    private var host = ContainerHost()
    private var growth = GrowthBook()
    private var book = AlertBook(rules: [])

    private static let size = AlertRule(name: "size", kind: .size, limitBytes: 1000)

    private mutating func observe() -> [AlertRecord] {
        growth.observe(host.snapshot, at: host.moment)
        return book.observe(host.snapshot, growth: growth, at: host.moment)
    }

    private mutating func observe(_ disk: Int64, confidence: Confidence = .exact) -> [AlertRecord] {
        host.set("web", disk: disk, confidence: confidence)
        return observe()
    }

    /// Each transition as one word.
    private func words(_ records: [AlertRecord]) -> [String] {
        records.map { "\($0.rule) \($0.container) \($0.state.rawValue)" }
    }

    @Test("a size rule fires once above its limit and resolves below the clear level, not between")
    mutating func hysteresis() throws {
        book = AlertBook(rules: [Self.size])
        #expect(observe(1000).isEmpty)
        let fired = try #require(observe(1001).first)
        #expect(fired.state == .firing)
        #expect(fired.message == "web (image nginx:1): writable layer takes 1.001kB, limit 1kB")
        #expect(fired.since == host.moment.wall)
        #expect((fired.valueBytes, fired.limitBytes) == (1001, 1000))
        #expect(observe(5000).isEmpty)
        #expect(book.firing.map(\.valueBytes) == [5000])
        #expect(observe(900).isEmpty)
        host.advance(3)
        let resolved = try #require(observe(899).first)
        #expect(resolved.state == .resolved)
        #expect(resolved.message == "web (image nginx:1): writable layer takes 899B, below 900B again")
        #expect(resolved.since == host.moment.wall)
        #expect(book.firing.isEmpty)
        #expect(book.recent == [resolved])
    }

    @Test("a growth rule tells growth, window and what grew, and resolves when the window has moved on")
    mutating func growthRule() throws {
        book = AlertBook(rules: [
            AlertRule(
                name: "fast", kind: .growth(windowSeconds: 60), limitBytes: 1_000_000_000, severity: .critical
            )
        ])
        #expect(observe(5_000_000_000).isEmpty)
        host.advance(10)
        growth.note(
            [PathGrowth(path: "/tmp/x", diskBytes: 1_200_000_000)], of: ContainerHost.key("web"),
            at: host.moment)
        let fired = try #require(observe(6_200_000_000).first)
        #expect(fired.message == "web (image nginx:1): writable layer grew 1.2GB in 60 s, limit 1GB")
        #expect(fired.top == [PathGrowth(path: "/tmp/x", diskBytes: 1_200_000_000)])
        #expect(fired.windowSeconds == 60)
        #expect(fired.severity == .critical)

        let deadline = try #require(book.nextDeadline(after: host.moment))
        #expect(deadline == host.moment.advanced(bySeconds: 60).uptime)
        host.advance(60)
        let resolved = try #require(observe().first)
        #expect(
            resolved.message == "web (image nginx:1): writable layer grew 0B in 60 s, below 900MB again")
        #expect(book.nextDeadline(after: host.moment) == nil)
    }

    @Test("a rule with a time fires when it was broken all that time, and starts anew after a pause")
    mutating func pending() {
        book = AlertBook(rules: [AlertRule(name: "slow", kind: .size, limitBytes: 10, forSeconds: 30)])
        #expect(observe(20).isEmpty)
        #expect(book.firing.isEmpty)
        #expect(book.nextDeadline(after: host.moment) == host.moment.advanced(bySeconds: 30).uptime)
        host.advance(20)
        #expect(observe(10).isEmpty)
        #expect(book.nextDeadline(after: host.moment) == nil)
        #expect(observe(20).isEmpty)
        host.advance(29)
        #expect(observe().isEmpty)
        host.advance(1)
        #expect(words(observe()) == ["slow web firing"])
    }

    @Test(
        "a figure that is not known to be right neither fires nor resolves",
        arguments: [Confidence.stale(reason: "gone"), .damaged(reason: "no JSON")])
    mutating func unknownFigures(confidence: Confidence) {
        book = AlertBook(rules: [
            Self.size, AlertRule(name: "slow", kind: .size, limitBytes: 1000, forSeconds: 30),
        ])
        #expect(observe(9000, confidence: confidence).isEmpty)
        #expect(words(observe(9000)) == ["size web firing"])
        host.advance(60)
        #expect(observe(0, confidence: confidence).isEmpty)
        #expect(book.firing.count == 1)
        #expect(book.nextDeadline(after: host.moment) == nil)
        #expect(words(observe(9000)) == ["slow web firing"])
        #expect(words(observe(0)) == ["size web resolved", "slow web resolved"])
    }

    @Test("a converging figure fires, and does not resolve; time in pending goes on")
    mutating func converging() {
        book = AlertBook(rules: [
            Self.size, AlertRule(name: "slow", kind: .size, limitBytes: 1000, forSeconds: 30),
            AlertRule(name: "fast", kind: .growth(windowSeconds: 60), limitBytes: 5000),
        ])
        #expect(observe(100, confidence: .converging).isEmpty)
        #expect(words(observe(9000, confidence: .converging)) == ["size web firing", "fast web firing"])
        host.advance(10)
        #expect(observe(500, confidence: .converging).isEmpty)
        host.advance(20)
        #expect(words(observe(9500, confidence: .converging)) == ["slow web firing"])
        #expect(book.firing.allSatisfy { $0.rule == "fast" || $0.valueBytes == 9500 })
        host.advance(100)
        #expect(observe(0, confidence: .converging).isEmpty)
        #expect(book.firing.count == 3)
        #expect(
            words(observe(0)).sorted() == ["fast web resolved", "size web resolved", "slow web resolved"])
    }

    @Test("a container that nobody looked at yet does not fire")
    mutating func unmeasured() {
        book = AlertBook(rules: [Self.size])
        host.add("web")
        #expect(observe().isEmpty)
        #expect(words(observe(9000)) == ["size web firing"])
    }

    @Test("containers of one id in two stores have each their own alerts, over a restart too")
    mutating func twins() {
        book = AlertBook(rules: [Self.size])
        let other = StoreIdentity(engine: "docker", driver: "overlay2", root: "/a")
        var ledger = Ledger()
        for store in [ContainerHost.store, other] {
            _ = ledger.update(
                StoreFacts(
                    store: store,
                    layers: [LayerFact(id: "w", kind: .container, directory: "\(store.root)/web")],
                    containers: [ContainerFact(id: "web", name: "web", layer: "w")]))
        }
        let moment = host.moment
        func step(_ book: inout AlertBook, _ bytes: Int64, _ store: StoreIdentity) -> [String] {
            let total = Measure(diskBytes: bytes, sizeBytes: bytes, inodes: 1)
            ledger.record(LayerKey(store: store, id: "w"), LayerMeasure(total: total), confidence: .exact)
            return book.observe(ledger.snapshot(), growth: growth, at: moment).map {
                "\($0.store.root) \($0.state.rawValue)"
            }
        }
        #expect(step(&book, 10, ContainerHost.store).isEmpty)
        #expect(step(&book, 5000, other) == ["/a firing"])
        #expect(step(&book, 6000, ContainerHost.store) == ["/store firing"])
        var restarted = AlertBook(rules: [Self.size])
        #expect(restarted.restore(book.saved(), at: moment).isEmpty)
        #expect(restarted.firing == book.firing)
        #expect(step(&restarted, 0, other) == ["/a resolved"])
        #expect(restarted.firing.map(\.store.root) == ["/store"])
    }

    @Test("a polled figure counts")
    mutating func polled() {
        book = AlertBook(rules: [Self.size])
        #expect(observe(9000, confidence: .polling(reason: "no watches", seconds: 30)).count == 1)
    }

    @Test("a container that is removed resolves its alerts, and the message says so")
    mutating func removedContainer() throws {
        book = AlertBook(rules: [Self.size])
        #expect(observe(9000).count == 1)
        host.remove("web")
        let resolved = try #require(observe().first)
        #expect(resolved.state == .resolved)
        #expect(
            resolved.message
                == "web (image nginx:1): container removed; last known: writable layer takes 9kB")
        #expect(observe().isEmpty)
    }

    @Test("a container whose store is being read again is removed only when it stays away")
    mutating func missingForAMoment() {
        book = AlertBook(rules: [Self.size])
        #expect(observe(9000).count == 1)
        host.report([], metadata: .converging)
        host.remove("web")
        host.report([], metadata: .converging)
        #expect(observe().isEmpty)
        #expect(book.nextDeadline(after: host.moment) == host.moment.advanced(bySeconds: 5).uptime)
        host.advance(2)
        #expect(observe(9500).isEmpty)
        host.remove("web")
        host.report([], metadata: .converging)
        host.advance(4)
        #expect(observe().isEmpty)
        host.advance(5)
        #expect(words(observe()) == ["size web resolved"])
    }

    @Test("a container with damaged metadata keeps its alert")
    mutating func damagedContainer() {
        book = AlertBook(rules: [Self.size])
        #expect(observe(9000).count == 1)
        host.remove("web")
        host.report([
            StoreProblem(severity: .damaged, object: .container("web"), path: "/store/web", reason: "no JSON")
        ])
        host.advance(3600)
        #expect(observe().isEmpty)
        #expect(book.firing.count == 1)
    }

    @Test("a rule is about the containers that it matches: engine, name, image, labels")
    mutating func match() {
        let rules = [
            AlertRule(name: "all", kind: .size, limitBytes: 10),
            AlertRule(name: "engine", kind: .size, limitBytes: 10, match: AlertMatch(engine: Glob("podman"))),
            AlertRule(name: "name", kind: .size, limitBytes: 10, match: AlertMatch(name: Glob("db-*"))),
            AlertRule(name: "image", kind: .size, limitBytes: 10, match: AlertMatch(image: Glob("postgres"))),
            AlertRule(
                name: "label", kind: .size, limitBytes: 10,
                match: AlertMatch(engine: Glob("dock*"), labels: ["tier": Glob("*"), "env": Glob("prod")])),
        ]
        book = AlertBook(rules: rules)
        host.set("db-1", disk: 50, image: "postgres:latest")
        host.set("web", disk: 50, labels: ["tier": "front", "env": "prod"])
        host.set("dev", disk: 50, labels: ["env": "prod"])
        #expect(
            words(observe()).sorted() == [
                "all db-1 firing", "all dev firing", "all web firing", "image db-1 firing",
                "label web firing",
                "name db-1 firing",
            ])
    }

    @Test("a reload resolves alerts of rules that went or changed and goes on with the others")
    mutating func reload() {
        let kept = AlertRule(name: "kept", kind: .size, limitBytes: 10)
        let gone = AlertRule(name: "gone", kind: .size, limitBytes: 10)
        let changed = AlertRule(name: "changed", kind: .size, limitBytes: 10)
        let narrowed = AlertRule(name: "narrowed", kind: .size, limitBytes: 10)
        book = AlertBook(rules: [kept, gone, changed, narrowed])
        #expect(observe(50).count == 4)
        var critical = changed
        critical.severity = .critical
        var narrow = narrowed
        narrow.match.name = Glob("db")
        let raised = AlertRule(name: "kept", kind: .size, limitBytes: 40)
        let records = book.replaceRules([raised, critical, narrow], at: host.moment)
        #expect(words(records) == ["changed web resolved", "gone web resolved"])
        #expect(records.last?.message.contains("rule gone is no longer in force") == true)
        #expect(book.nextDeadline(after: host.moment) == host.moment.uptime)
        #expect(words(observe()).sorted() == ["changed web firing", "narrowed web resolved"])
        #expect(book.firing.first { $0.rule == "kept" }?.limitBytes == 40)
        #expect(words(observe(20)) == ["kept web resolved"])
    }

    @Test("of rules of one name the last counts")
    mutating func sameName() {
        book = AlertBook(rules: [Self.size, AlertRule(name: "size", kind: .size, limitBytes: 5000)])
        #expect(observe(2000).isEmpty)
    }

    @Test("names that a container chose are escaped in the message and whole in the fields")
    mutating func hostileNames() throws {
        book = AlertBook(rules: [Self.size])
        let name = "a\nb\u{1B}[31m\u{202E}" + String(repeating: "x", count: 500)
        host.set("id", disk: 2000, image: "i\u{7}", name: name)
        let record = try #require(observe().first)
        #expect(record.container == name)
        #expect(record.message.hasPrefix("a\\nb\\u{1b}[31m\\u{202e}xxx"))
        #expect(record.message.contains("(image i\\u{7})"))
        #expect(record.message.count < 300)
    }

    @Test("at most 100 resolved alerts are remembered, the newest first")
    mutating func bounded() {
        book = AlertBook(rules: [Self.size])
        for step in 0..<150 {
            _ = observe(2000)
            host.advance(1)
            _ = observe(Int64(step))
        }
        #expect(book.recent.count == 100)
        #expect(book.recent.first?.valueBytes == 149)
    }

    @Test(
        "figures in messages read as Docker prints them",
        arguments: [
            (999, "999B"), (1001, "1.001kB"), (20_971_520, "20.97MB"), (1_250_000, "1.25MB"),
            (Int64.max, "9.223EB"), (12_345_678_901_234, "12.35TB"),
        ] as [(Int64, String)])
    mutating func units(bytes: Int64, text: String) throws {
        book = AlertBook(rules: [AlertRule(name: "r", kind: .size, limitBytes: 1)])
        let record = try #require(observe(bytes).first)
        #expect(record.message.contains("takes \(text), limit 1B"))
    }

    @Test("a rule out of range takes the nearest that makes sense")
    func clampedRule() {
        let rule = AlertRule(name: "r", kind: .size, limitBytes: -5, clearBytes: 10, forSeconds: -1)
        #expect((rule.limitBytes, rule.clearBytes, rule.forSeconds) == (1, 1, 0))
        #expect(AlertRule(name: "r", kind: .size, limitBytes: .max).clearBytes == 8_301_034_833_169_298_226)
        let forever = AlertRule(name: "r", kind: .size, limitBytes: 1, forSeconds: .max)
        #expect(forever.forSeconds == .max)
    }
}
