internal import Accounting
internal import Kernel
internal import Synchronization
internal import Tracking

/// The host's books behind one lock: what stores and trackers tell goes in, and every figure that is told comes
/// out by ``advance(at:)``, each change once and in order.
final class UsageBooks: Sendable {
    /// The books at one moment.
    struct View: Sendable {
        var snapshot: UsageSnapshot
        var growth: GrowthBook
        var alerts: AlertBook
        var moment: Moment
        /// Up to when every change of a store is in the figures; wall clock, nanoseconds since the epoch.
        var asOf: [StoreIdentity: Int64]
        /// When the look at open files that the figures have began; wall clock, nanoseconds since the epoch.
        var deletedOpenAsOf: Int64?
    }

    private struct State {
        var ledger = Ledger()
        var growth: GrowthBook
        var alerts: AlertBook
        var paths = PathNotes()
        var told = UsageSnapshot.empty
        var asOf: [StoreIdentity: Int64] = [:]
        var deletedOpenAsOf: Int64?
    }

    private let state: Mutex<State>
    private let announcer: Announcer
    private let wakeUp: WakeUp

    /// - Parameters:
    ///   - alerts: The rules in force, with what an earlier run left.
    ///   - growth: Figures of an earlier run.
    ///   - announcer: Who is told of what changes.
    ///   - wakeUp: Signalled when there is something to ``advance(at:)`` for.
    init(alerts: AlertBook, growth: GrowthBook, announcer: Announcer, wakeUp: WakeUp) {
        state = Mutex(State(growth: growth, alerts: alerts))
        self.announcer = announcer
        self.wakeUp = wakeUp
    }

    /// Takes what a store's metadata says; returns which layers came and went.
    func update(_ facts: StoreFacts, metadata: Confidence, watches: Int) -> Ledger.LayerChanges {
        defer { wakeUp.signal() }
        return state.withLock { $0.ledger.update(facts, metadata: metadata, watches: watches) }
    }

    /// Forgets a store; returns which layers went with it.
    func remove(_ store: StoreIdentity) -> Ledger.LayerChanges {
        defer { wakeUp.signal() }
        return state.withLock { $0.ledger.remove(store) }
    }

    /// Takes a measure that is known without a look.
    func record(_ key: LayerKey, _ measure: LayerMeasure) {
        state.withLock { $0.ledger.record(key, measure, confidence: .exact, at: Moment.now().wall) }
        wakeUp.signal()
    }

    /// Takes what a walk of a store's overhead found that began at a moment.
    func record(_ overhead: OverheadMeasure, of store: StoreIdentity, asOf moment: Moment) {
        state.withLock { $0.ledger.record(overhead, of: store, at: moment.wall) }
        wakeUp.signal()
    }

    /// Takes which blocks of a store's layers are shared, as a survey found that began at a moment.
    func record(_ extents: SharedExtents, of store: StoreIdentity, asOf moment: Moment) {
        state.withLock { $0.ledger.record(extents, of: store, at: moment.wall) }
        wakeUp.signal()
    }

    /// Takes that it could not be found out which blocks are shared.
    func failSharedExtents(of store: StoreIdentity, reason: String) {
        state.withLock { $0.ledger.failSharedExtents(of: store, reason: reason) }
        wakeUp.signal()
    }

    /// Says that files of a store can share blocks.
    func expectSharedExtents(of store: StoreIdentity) {
        state.withLock { $0.ledger.expectSharedExtents(of: store) }
    }

    /// How often the facts or figures of a store changed.
    func changes(of store: StoreIdentity) -> UInt64 {
        state.withLock { $0.ledger.changes(of: store) }
    }

    /// Takes that a store's overhead could not be walked.
    func failOverhead(of store: StoreIdentity, reason: String) {
        state.withLock { $0.ledger.failOverhead(of: store, reason: reason) }
        wakeUp.signal()
    }

    /// Takes what a look found.
    func record(_ report: LayerReport) {
        state.withLock { state in
            switch report.outcome {
            case .measured(let measure, let confidence):
                state.ledger.record(
                    report.key, measure, confidence: confidence, watches: report.watches,
                    at: Moment.now().wall)
            case .failed(let reason):
                state.ledger.fail(report.key, reason: reason)
            }
            state.paths.add(report.paths, to: report.key)
        }
        wakeUp.signal()
    }

    /// Takes what a look at open files found that began at a moment; there is none where none may be made.
    func record(_ report: DeletedOpenReport, asOf moment: Moment?) {
        state.withLock { state in
            state.ledger.record(report)
            state.deletedOpenAsOf = moment?.wall
        }
        wakeUp.signal()
    }

    /// Puts other rules in force.
    func replaceRules(_ rules: [AlertRule]) {
        state.withLock { state in
            let moment = Moment.now()
            let ended = state.alerts.replaceRules(rules, at: moment)
            announcer.tell(ended, at: moment)
        }
        wakeUp.signal()
    }

    /// Tells everyone what changed since the last call, and returns the books as they are then.
    @discardableResult
    func advance(at moment: Moment = .now()) -> View {
        state.withLock { state in
            let snapshot = state.ledger.snapshot()
            let before = state.told
            let isNew = snapshot.version != before.version
            let isDue = state.alerts.nextDeadline(after: moment).map { $0 <= moment.uptime } ?? false
            if isNew || isDue {
                let paths = state.paths.take(snapshot)
                for (container, changes) in paths {
                    state.growth.note(changes, of: container, at: moment)
                }
                state.growth.observe(snapshot, at: moment)
                let alerts = state.alerts.observe(snapshot, growth: state.growth, at: moment)
                state.told = snapshot
                for source in snapshot.sources where state.asOf[source.store] == nil {
                    state.asOf[source.store] = moment.wall
                }
                let followed = Set(snapshot.sources.map(\.store))
                state.asOf = state.asOf.filter { followed.contains($0.key) }
                for source in before.sources
                where source.confidence == .exact && followed.contains(source.store) {
                    state.asOf[source.store] = moment.wall
                }
                announcer.tell(
                    SnapshotDifference(from: before, to: snapshot), paths, growth: state.growth,
                    asOf: state.asOf, at: moment)
                announcer.tell(alerts, at: moment)
            }
            var asOf = state.asOf
            for source in state.told.sources where source.confidence == .exact {
                asOf[source.store] = moment.wall
            }
            return View(
                snapshot: state.told, growth: state.growth, alerts: state.alerts, moment: moment, asOf: asOf,
                deletedOpenAsOf: state.deletedOpenAsOf)
        }
    }

    /// The books as they were told last; it costs nothing, whoever asks how often.
    var latest: UsageSnapshot {
        state.withLock { $0.told }
    }

    /// The alerts in the form in which they survive a restart.
    func savedAlerts() -> [SavedAlert] {
        state.withLock { $0.alerts.saved() }
    }

    /// The figures' past in the form in which it survives a restart.
    func savedGrowth() -> [SavedGrowth] {
        // Thinning takes long, and nobody should wait for it.
        let growth = state.withLock { $0.growth }
        return growth.saved(at: .now())
    }

    /// When ``advance(at:)`` must be called though nothing is told to the books; monotonic nanoseconds.
    var nextDeadline: Int64? {
        state.withLock { $0.alerts.nextDeadline(after: .now()) }
    }
}
