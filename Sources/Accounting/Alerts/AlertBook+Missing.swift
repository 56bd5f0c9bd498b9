extension AlertBook {
    /// How long to wait before a container that no snapshot has counts as removed, nanoseconds.
    private enum Patience {
        /// Its store's metadata is being read again, perhaps half-written.
        static let converging: Int64 = 5_000_000_000
        /// Its store is not there at all: after a restart it may not have been read yet.
        static let noStore: Int64 = 600_000_000_000
    }

    /// Resolves alerts of containers that were removed, and of rules that containers no longer meet.
    mutating func settleMissing(
        _ present: Set<ContainerKey>, _ snapshot: UsageSnapshot, at moment: Moment
    ) -> [AlertRecord] {
        let missing = entries.keys.filter { !present.contains($0.container) }.sorted {
            ($0.container, $0.rule) < ($1.container, $1.rule)
        }
        guard !missing.isEmpty else { return [] }
        let sources = Dictionary(
            snapshot.sources.map { ($0.store, $0) }, uniquingKeysWith: { first, _ in first })
        var transitions: [AlertRecord] = []
        for key in missing {
            guard let entry = entries[key] else { continue }
            let source = sources[key.container.store]
            let since = entry.missingSince ?? moment.uptime
            entries[key]?.missingSince = since
            guard let patience = Self.patience(for: key.container.id, in: source) else { continue }
            let ends = since.addingClamped(patience)
            guard moment.uptime >= ends else {
                call(at: ends)
                continue
            }
            let ending: AlertMessage.Ending = source == nil ? .storeNotFollowed : .containerRemoved
            if let record = end(key, ending, at: moment) { transitions.append(record) }
        }
        return transitions
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
