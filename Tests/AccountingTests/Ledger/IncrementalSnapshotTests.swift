import Testing
import UsageTestKit

@testable import Accounting

/// Random changes to ledgers of several stores, against books that are made anew after each.
@Suite("Snapshots that take over what did not change")
struct IncrementalSnapshotTests {
    @Test("have every figure of books that are made anew", arguments: 0..<40 as Range<UInt64>)
    func figures(seed: UInt64) throws {
        var simulation = LedgerSimulation(seed: seed)
        // An earlier snapshot that somebody still reads.
        var kept: (snapshot: UsageSnapshot, expected: UsageSnapshot)?
        for index in 0..<250 {
            simulation.change()
            let place = "seed \(seed), step \(index): \(simulation.step)"
            var found = simulation.snapshot()
            var expected = simulation.rebuilt()
            // New books count from the beginning.
            found.version = 0
            expected.version = 0
            try #require(found == expected, "\(place)")
            for (key, charged) in simulation.charged() {
                let usage = found.layers[key]?.charged ?? found.trees[key]?.charged
                try #require(usage == charged, "\(place), \(key.id)")
            }
            for store in found.stores {
                try #require(Self.diskBytes(store) == Self.diskBytesByWalk(store, found), "\(place)")
            }
            if index % 10 == 0 {
                if let kept { try #require(kept.snapshot == kept.expected, "kept until \(place)") }
                kept = (found, expected)
            }
        }
    }

    /// Allocated bytes by place and class.
    private static func diskBytes(_ store: StoreUsage) -> [String: Int64] {
        var bytes: [String: Int64] = [:]
        for (place, sums) in zip(store.places, store.placed) {
            for kind in LayerFact.Kind.allCases where kind != .inFlight {
                var sums = sums
                sums.change(kind) { bytes["\(place) \(kind)", default: 0] += $0.measure.diskBytes }
            }
            bytes["\(place) log", default: 0] += sums.logs.measure.diskBytes
            bytes["\(place) volume", default: 0] += sums.volumes.measure.diskBytes
            bytes["\(place) in flight", default: 0] += sums.inFlight.measure.diskBytes
        }
        return bytes.filter { $0.value != 0 }
    }

    /// The same by going over all layers and trees.
    private static func diskBytesByWalk(_ store: StoreUsage, _ snapshot: UsageSnapshot) -> [String: Int64] {
        var bytes: [String: Int64] = [:]
        func add(_ directory: String, _ name: String, _ count: Int64) {
            let root = store.store.root
            let place = directory.hasPrefix(root + "/") ? root : directory
            bytes["\(place) \(name)", default: 0] += count
        }
        for layer in store.layers where layer.confidence != .converging || layer.charged.inodes > 0 {
            let kind = layer.fact.kind
            add(layer.fact.directory, kind == .inFlight ? "in flight" : "\(kind)", layer.charged.diskBytes)
        }
        for tree in store.trees {
            let name =
                switch tree.fact.kind {
                case .log: "log"
                case .volume: "volume"
                case .inFlight: "in flight"
                }
            add(tree.fact.directory, name, tree.charged.diskBytes)
        }
        return bytes.filter { $0.value != 0 }
    }

    @Test("a write makes anew one layer and one container of a thousand, and the rest is what it was")
    func oneOfMany() {
        let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/store")
        var facts = StoreFacts(
            store: store, layers: [LayerFact(id: "base", kind: .image, directory: "/store/base")],
            images: [ImageFact(id: "image", layers: ["base"])])
        for index in 0..<1000 {
            facts.layers.append(LayerFact(id: "w\(index)", kind: .container, directory: "/store/w\(index)"))
            facts.containers.append(
                ContainerFact(
                    id: "c\(index)", name: "c\(index)", imageID: "image", layer: "w\(index)", chain: ["base"])
            )
        }
        var ledger = Ledger()
        _ = ledger.update(facts)
        let before = ledger.snapshot()
        ledger.record(
            LayerKey(store: store, id: "w700"),
            LayerMeasure(total: Measure(diskBytes: 1, sizeBytes: 1, inodes: 1)), confidence: .exact)
        let now = ledger.snapshot()
        let changes = now.containerChanges(since: before)
        #expect(changes.places == [ContainerPlace(store: 0, position: 700)])
        #expect(!changes.haveComeOrGone)
        #expect(now.stores[0].layers.changes(since: before.stores[0].layers) == [701])
        #expect(now.stores[0].images.changes(since: before.stores[0].images).isEmpty)
        // The same facts read again change nothing.
        _ = ledger.update(facts)
        let same = ledger.snapshot().containerChanges(since: now)
        #expect(same.places.isEmpty && !same.haveComeOrGone)
    }

    /// Growth and alerts, told by whoever shows them snapshots.
    private struct Judges {
        var growth = GrowthBook()
        var alerts: AlertBook

        mutating func judge(
            _ snapshot: UsageSnapshot, _ paths: [ContainerKey: [PathGrowth]], at moment: Moment
        ) -> [AlertRecord] {
            for (container, changes) in paths { growth.note(changes, of: container, at: moment) }
            growth.observe(snapshot, at: moment)
            return alerts.observe(snapshot, growth: growth, at: moment)
        }
    }

    private static func rules(_ random: inout SeededGenerator) -> [AlertRule] {
        (0..<6).map { index in
            let limit = Int64.random(in: 200...1500, using: &random)
            return AlertRule(
                name: "r\(index)",
                kind: index % 2 == 0 ? .size : .growth(windowSeconds: Int.random(in: 1...90, using: &random)),
                limitBytes: limit, clearBytes: Int64.random(in: 1...limit, using: &random),
                forSeconds: Bool.random(using: &random) ? 0 : Int.random(in: 1...40, using: &random),
                match: AlertMatch(name: index == 5 ? Glob("*+") : nil))
        }
    }

    @Test(
        "are judged by what changed as by a look at every container", arguments: 0..<40 as Range<UInt64>)
    func judgements(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 1000)
        var simulation = LedgerSimulation(seed: seed)
        let rules = Self.rules(&random)
        var found = Judges(alerts: AlertBook(rules: rules))
        var expected = found
        var moment = Moment(uptime: 6_000_000_000_000, wall: 1_800_000_000_000_000_000)
        for index in 0..<300 {
            if Int.random(in: 0..<5, using: &random) > 0 { simulation.change() }
            let place = "seed \(seed), step \(index): \(simulation.step)"
            moment = moment.advanced(
                bySeconds: [0.02, 0.02, 0.5, 1, 3, 30].randomElement(using: &random) ?? 1)
            if Int.random(in: 0..<60, using: &random) == 0 {
                let rules = Self.rules(&random)
                try #require(
                    found.alerts.replaceRules(rules, at: moment)
                        == expected.alerts.replaceRules(rules, at: moment), "\(place)")
            }
            let snapshot = simulation.snapshot()
            // Also of containers that are not there, or not measured yet.
            var keys = snapshot.containers.map(\.key).shuffled(using: &random).prefix(2)
            if index % 7 == 0 {
                keys.append(ContainerKey(store: StoreIdentity(engine: "x", driver: "x", root: "/x"), id: "x"))
            }
            var paths: [ContainerKey: [PathGrowth]] = [:]
            for key in keys { paths[key] = [PathGrowth(path: "/p\(index % 3)", diskBytes: 5)] }
            let transitions = found.judge(snapshot, paths, at: moment)
            // It has nothing in common with the one before, so that everything is looked at.
            let all = expected.judge(simulation.rebuilt(), paths, at: moment)
            try #require(transitions == all, "\(place)")
            try #require(found.alerts.firing == expected.alerts.firing, "\(place)")
            try #require(found.alerts.saved() == expected.alerts.saved(), "\(place)")
            try #require(
                found.alerts.nextDeadline(after: moment) == expected.alerts.nextDeadline(after: moment),
                "\(place)")
            try #require(found.growth.saved(at: moment) == expected.growth.saved(at: moment), "\(place)")
            try #require(found.growth.version == expected.growth.version, "\(place)")
            for key in keys {
                try #require(
                    found.growth.top(of: key, withinSeconds: 60, at: moment)
                        == expected.growth.top(of: key, withinSeconds: 60, at: moment), "\(place)")
            }
        }
        // Both could forget nobody: who is gone for long is forgotten.
        let snapshot = simulation.snapshot()
        for _ in 0..<3 {
            moment = moment.advanced(bySeconds: 700)
            _ = found.judge(snapshot, [:], at: moment)
        }
        let present = Set(snapshot.containers.map(\.key))
        let restless = Set(snapshot.sources.filter { !$0.problems.isEmpty }.map(\.store))
        for saved in found.growth.saved(at: moment) {
            let key = ContainerKey(store: saved.store, id: saved.containerID)
            try #require(present.contains(key), "seed \(seed)")
        }
        for alert in found.alerts.firing where !restless.contains(alert.store) {
            let key = ContainerKey(store: alert.store, id: alert.containerID)
            try #require(present.contains(key), "seed \(seed)")
        }
    }
}
