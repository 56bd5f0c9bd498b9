/// Which containers break which rules: per rule and container ok, pending, firing or resolved.
///
/// A container whose figure is stale or damaged neither fires nor resolves, nor does its time in pending start
/// anew. One whose figure is converging may fire, for what is known of it is there at least roughly and a container
/// can keep itself converging; it does not resolve, and its time in pending goes on.
public struct AlertBook: Sendable {
    struct Key: Hashable, Sendable {
        var rule: String
        var container: ContainerKey
    }

    struct Entry: Sendable {
        /// What fires, or would.
        var record: AlertRecord
        /// Since when the rule is broken, while it does not fire yet; monotonic.
        var pendingSince: Int64?
        /// When it was taken up from an earlier run; monotonic.
        var restoredAt: Int64?
        /// Since when no snapshot has the container; monotonic.
        var missingSince: Int64?
    }

    public private(set) var rules: [AlertRule]
    var entries: [Key: Entry] = [:]
    private(set) var resolved: [AlertRecord] = []
    private var deadline: Int64?
    /// The snapshot that was judged last: of the next, only what changed since is judged, and what is due.
    private var judged: UsageSnapshot?
    /// Containers whose judgement changes at a time though their figures do not: where a time in pending ends, and where a
    /// change leaves a window.
    private var ends = Agenda<ContainerKey>()
    private var windows = Agenda<ContainerKey>()
    /// Those of ``entries`` whose container is not there.
    var absent: Set<Key> = []

    private static let resolvedLimit = 100
    /// A growth window that moves on is a reason to be called this often at most, nanoseconds.
    private static let windowStep: Int64 = 1_000_000_000

    /// Makes a book; of rules with the same name the last counts.
    public init(rules: [AlertRule]) {
        self.rules = Self.unique(rules)
    }

    /// What fires now, the newest first.
    public var firing: [AlertRecord] {
        entries.values.filter { $0.pendingSince == nil }.map(\.record).sorted {
            ($1.since, $0.rule, $0.container, $0.key) < ($0.since, $1.rule, $1.container, $1.key)
        }
    }

    /// What was resolved lately, at most 100, the newest first.
    public var recent: [AlertRecord] {
        resolved.reversed()
    }

    /// Puts other rules in force.
    ///
    /// Alerts go on under a rule of the same name, kind and severity, whose new limit counts from the next
    /// observation; those of any other rule are resolved.
    public mutating func replaceRules(_ rules: [AlertRule], at moment: Moment) -> [AlertRecord] {
        self.rules = Self.unique(rules)
        judgeAll(from: moment)
        return dropEntriesWithoutRule(at: moment)
    }

    /// Has the next observation judge every container, and asks for it.
    mutating func judgeAll(from moment: Moment) {
        judged = nil
        deadline = moment.uptime
    }

    /// Judges every container by a snapshot that `growth` has taken as well.
    ///
    /// Returns what changed and nothing else: the alerts that begin to fire, and those that are resolved. It costs what
    /// changed since the last call and what is due, not what there is: nothing else can have come to another judgement.
    public mutating func observe(
        _ snapshot: UsageSnapshot, growth: GrowthBook, at moment: Moment
    ) -> [AlertRecord] {
        let changes = snapshot.containerChanges(since: judged)
        judged = snapshot
        if changes.haveComeOrGone { noteAbsent(in: snapshot) }
        let due = ends.takeDue(at: moment.uptime) + windows.takeDue(at: moment.uptime)
        let places = Set(due.compactMap { snapshot.place(of: $0) }).union(changes.places)
        var transitions: [AlertRecord] = []
        for place in places.sorted() {
            let container = snapshot.container(at: place)
            ends.cancel(container.key)
            windows.cancel(container.key)
            for rule in rules {
                if let transition = judge(container, rule, growth, at: moment) {
                    transitions.append(transition)
                }
            }
        }
        let (settled, next) = settleMissing(snapshot, at: moment)
        let window = windows.next.map { max($0, moment.uptime.addingClamped(Self.windowStep)) }
        deadline = [ends.next, window, next].compactMap { $0 }.min()
        return transitions + settled
    }

    private mutating func noteAbsent(in snapshot: UsageSnapshot) {
        absent = Set(entries.keys.lazy.filter { snapshot.place(of: $0.container) == nil })
        for key in Set(ends.keys).union(windows.keys) where snapshot.place(of: key) == nil {
            ends.cancel(key)
            windows.cancel(key)
        }
    }

    /// When ``observe(_:growth:at:)`` must be called again even if no figure changes, as a pending time or a
    /// window runs out; monotonic nanoseconds, `nil` for never.
    public func nextDeadline(after moment: Moment) -> Int64? {
        deadline.map { max($0, moment.uptime) }
    }

    private mutating func judge(
        _ container: ContainerUsage, _ rule: AlertRule, _ growth: GrowthBook, at moment: Moment
    ) -> AlertRecord? {
        let key = Key(rule: rule.name, container: container.key)
        entries[key]?.missingSince = nil
        guard rule.match.matches(container) else { return end(key, .noLongerMatched, at: moment) }
        guard container.isFigureCurrent else { return nil }

        let value = watch(container, rule, growth, at: moment)
        let before = entries[key]
        if let before, before.pendingSince == nil {
            guard value < rule.clearBytes else {
                update(key, container, rule, value, growth, at: moment)
                return nil
            }
            guard container.isFigureRight else { return nil }
            if let later = before.waits(for: rule, growth, at: moment) {
                ends.call(container.key, at: later.uptime)
                return nil
            }
            update(key, container, rule, value, growth, at: moment)
            return resolve(key, at: moment) { AlertMessage.resolved($0, clearBytes: rule.clearBytes) }
        }

        guard value > rule.limitBytes else {
            if container.isFigureRight { entries[key] = nil }
            return nil
        }
        let since = before?.pendingSince ?? moment.uptime
        if before == nil { entries[key] = Entry(container, rule, at: moment) }
        let fires = since.addingClamped(rule.forNanoseconds)
        guard moment.uptime >= fires else {
            entries[key]?.pendingSince = since
            entries[key]?.record.valueBytes = value
            ends.call(container.key, at: fires)
            return nil
        }
        entries[key]?.pendingSince = nil
        entries[key]?.record.since = moment.wall
        update(key, container, rule, value, growth, at: moment)
        return entries[key]?.record
    }

    /// The figure that the rule is about; sees to it that a window's end is not missed.
    private mutating func watch(
        _ container: ContainerUsage, _ rule: AlertRule, _ growth: GrowthBook, at moment: Moment
    ) -> Int64 {
        guard let window = rule.kind.windowSeconds else { return container.writable.diskBytes }
        let key = container.key
        if let change = growth.nextChange(of: key, withinSeconds: Double(window), at: moment) {
            windows.call(key, at: change)
        }
        return growth.growth(of: key, withinSeconds: Double(window), at: moment)
    }

    private mutating func update(
        _ key: Key, _ container: ContainerUsage, _ rule: AlertRule, _ value: Int64, _ growth: GrowthBook,
        at moment: Moment
    ) {
        guard var record = entries[key]?.record else { return }
        let before = record
        record.container = container.fact.name
        record.image = container.image
        record.valueBytes = value
        record.limitBytes = rule.limitBytes
        record.windowSeconds = rule.kind.windowSeconds
        guard record != before || record.message.isEmpty else { return }
        record.message = AlertMessage.firing(record)
        record.top = growth.top(
            of: key.container, withinSeconds: Double(rule.kind.windowSeconds ?? 86_400), at: moment)
        entries[key]?.record = record
    }

    mutating func end(_ key: Key, _ ending: AlertMessage.Ending, at moment: Moment) -> AlertRecord? {
        guard entries[key]?.pendingSince == nil else {
            entries[key] = nil
            return nil
        }
        return resolve(key, at: moment) { AlertMessage.ended($0, ending) }
    }

    private mutating func resolve(
        _ key: Key, at moment: Moment, message: (AlertRecord) -> String
    ) -> AlertRecord? {
        guard var record = entries.removeValue(forKey: key)?.record else { return nil }
        record.state = .resolved
        record.since = moment.wall
        record.message = message(record)
        remember([record])
        return record
    }

    /// Adds to what was resolved lately.
    mutating func remember(_ records: [AlertRecord]) {
        resolved += records
        if resolved.count > Self.resolvedLimit {
            resolved.removeFirst(resolved.count - Self.resolvedLimit)
        }
    }

    private static func unique(_ rules: [AlertRule]) -> [AlertRule] {
        var last: [String: Int] = [:]
        for (index, rule) in rules.enumerated() { last[rule.name] = index }
        return rules.enumerated().filter { last[$0.element.name] == $0.offset }.map(\.element)
    }
}

extension AlertBook.Entry {
    fileprivate init(_ container: ContainerUsage, _ rule: AlertRule, at moment: Moment) {
        record = AlertRecord(
            rule: rule.name, severity: rule.severity, state: .firing, store: container.store,
            container: container.fact.name, containerID: container.fact.id, image: container.image,
            valueBytes: 0, limitBytes: rule.limitBytes, windowSeconds: rule.kind.windowSeconds,
            since: moment.wall, message: "")
    }

    /// When enough is known again to resolve a growth rule, where the figures of before a restart were lost
    /// and those since are fewer than a window; `nil` where that is so already.
    fileprivate func waits(for rule: AlertRule, _ growth: GrowthBook, at moment: Moment) -> Moment? {
        guard let window = rule.kind.windowSeconds, let restoredAt,
            let reach = growth.reach(of: record.key, at: moment)
        else { return nil }
        let sinceRestart = Double(moment.uptime.subtractingClamped(restoredAt)) / 1e9
        guard reach <= sinceRestart, reach < Double(window) else { return nil }
        return moment.advanced(bySeconds: min(Double(window) - reach, 1e9))
    }
}

extension AlertRule {
    fileprivate var forNanoseconds: Int64 {
        let (product, overflow) = Int64(forSeconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product
    }
}
