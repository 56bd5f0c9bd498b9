/// One alert in the form in which it survives a restart.
public struct SavedAlert: Hashable, Sendable, Codable {
    public enum Phase: String, Hashable, Sendable, Codable {
        /// The rule is broken, but not for long enough.
        case pending
        case firing
        /// Resolved lately.
        case resolved
    }

    public var phase: Phase
    /// In ``Phase/pending``, `since` says since when the rule is broken.
    public var record: AlertRecord

    public init(phase: Phase, record: AlertRecord) {
        self.phase = phase
        self.record = record
    }
}

extension AlertBook {
    /// Everything that a restart must not forget, in a fixed order.
    public func saved() -> [SavedAlert] {
        let open = entries.values.map { entry in
            SavedAlert(phase: entry.pendingSince == nil ? .firing : .pending, record: entry.record)
        }
        let order = open.sorted {
            ($0.record.since, $0.record.rule, $0.record.key)
                < ($1.record.since, $1.record.rule, $1.record.key)
        }
        return resolved.map { SavedAlert(phase: .resolved, record: $0) } + order
    }

    /// Takes up the alerts of an earlier run: what fired goes on firing without being told again.
    ///
    /// - Returns: The alerts resolved because their rule went or changed in between.
    public mutating func restore(_ saved: [SavedAlert], at moment: Moment) -> [AlertRecord] {
        for alert in saved {
            guard alert.phase != .resolved else {
                remember([alert.record])
                continue
            }
            let key = Key(rule: alert.record.rule, container: alert.record.key)
            guard entries[key] == nil else { continue }
            var entry = Entry(record: alert.record, restoredAt: moment.uptime)
            entry.record.state = .firing
            if alert.phase == .pending {
                // A wall clock that was set back must not lengthen the wait.
                let age = max(0, moment.wall.subtractingClamped(alert.record.since))
                entry.pendingSince = moment.uptime.subtractingClamped(age)
            }
            entries[key] = entry
        }
        judgeAll(from: moment)
        return dropEntriesWithoutRule(at: moment)
    }

    mutating func dropEntriesWithoutRule(at moment: Moment) -> [AlertRecord] {
        let inForce = Dictionary(rules.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        let order = entries.keys.sorted { ($0.rule, $0.container) < ($1.rule, $1.container) }
        return order.compactMap { key in
            guard let record = entries[key]?.record else { return nil }
            guard let rule = inForce[key.rule] else { return end(key, .ruleRemoved, at: moment) }
            guard rule.kind.windowSeconds == record.windowSeconds, rule.severity == record.severity else {
                return end(key, .ruleChanged, at: moment)
            }
            return nil
        }
    }
}
