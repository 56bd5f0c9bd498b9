extension AlertBook {
    /// How long to wait before a container that no snapshot has counts as removed, nanoseconds.
    private enum Patience {
        /// Its store's metadata is being read again, perhaps half-written.
        static let converging: Int64 = 5_000_000_000
        /// Its store is not there at all: after a restart it may not have been read yet.
        static let noStore: Int64 = 600_000_000_000
    }

    /// Resolves alerts of containers that were removed; returns also when it must be called again for others.
    mutating func settleMissing(
        _ snapshot: UsageSnapshot, at moment: Moment
    ) -> (transitions: [AlertRecord], next: Int64?) {
        var transitions: [AlertRecord] = []
        var next: Int64?
        for key in absent.sorted(by: { ($0.container, $0.rule) < ($1.container, $1.rule) }) {
            guard let entry = entries[key] else {
                absent.remove(key)
                continue
            }
            let source = snapshot.usage(of: key.container.store)?.source
            let since = entry.missingSince ?? moment.uptime
            entries[key]?.missingSince = since
            guard let patience = Self.patience(for: key.container.id, in: source) else { continue }
            let ends = since.addingClamped(patience)
            guard moment.uptime >= ends else {
                next = min(next ?? .max, ends)
                continue
            }
            let ending: AlertMessage.Ending = source == nil ? .storeNotFollowed : .containerRemoved
            if let record = end(key, ending, at: moment) { transitions.append(record) }
            absent.remove(key)
        }
        return (transitions, next)
    }

    /// `nil` while nothing can be said about the container.
    private static func patience(for containerID: String, in source: SourceUsage?) -> Int64? {
        guard let source else { return Patience.noStore }
        let isUnknown = source.problems.contains {
            $0.severity == .unreadable || $0.object == .container(containerID)
        }
        if isUnknown { return nil }
        return source.confidence == .converging ? Patience.converging : 0
    }
}
