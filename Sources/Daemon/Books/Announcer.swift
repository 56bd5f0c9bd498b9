internal import Accounting
internal import Journal
internal import Logging
internal import StatusFeed
internal import Wire

/// Tells the feed and the journal what changed.
struct Announcer: Sendable {
    /// Paths that an event names at most.
    private static let pathLimit = 5

    let hub: FeedHub
    let logger: Logger
    /// Called after alerts changed, so that they are kept.
    let alertsChanged: @Sendable () -> Void

    func tell(
        _ difference: SnapshotDifference, _ paths: [ContainerKey: [Accounting.PathGrowth]],
        growth: GrowthBook,
        asOf: [StoreIdentity: Int64], at moment: Moment
    ) {
        let time = WireCoding.timestamp(wallNanoseconds: moment.wall)
        func publish(_ type: FeedEvent.Kind, _ fill: (inout FeedEvent) -> Void) {
            var event = FeedEvent(type: type, id: 0, time: time)
            fill(&event)
            hub.publish(event)
        }
        for (source, before) in difference.sources {
            publish(.source) {
                $0.source = Source(source, asOf: asOf[source.store] ?? moment.wall)
            }
            tellJournal(source, before)
        }
        // What went with its store is told to the feed, which has a list of it; the journal has one record.
        let gone = Set(difference.sourcesRemoved.map(\.store))
        for source in difference.sourcesRemoved {
            let store = source.store
            logger.record(
                .storeGone, .notice,
                "no longer following \(store.engine) (\(store.driver)) at \(store.root)",
                metadata: [
                    "engine": "\(store.engine)", "driver": "\(store.driver)", "root": "\(store.root)",
                ])
        }
        for image in difference.imagesRemoved {
            publish(.imageRemoved) { $0.image = Image(image) }
            guard !gone.contains(image.store) else { continue }
            logger.record(
                .imageRemoved, .info, "image \(image.title) was removed", metadata: image.metadata)
        }
        for image in difference.imagesAdded {
            publish(.imageAdded) { $0.image = Image(image) }
        }
        // An image whose figures alone changed is no news to a reader of the journal.
        for image in difference.imagesNamed {
            logger.record(.imageAdded, .info, "image \(image.title) is there", metadata: image.metadata)
        }
        for container in difference.containersRemoved {
            publish(.containerRemoved) {
                $0.container = Container(container, growth.growth(of: container.key, at: moment))
            }
            guard !gone.contains(container.store) else { continue }
            logger.record(
                .containerRemoved, .info, "container \(container.title) was removed",
                metadata: container.metadata)
        }
        for container in difference.containersAdded {
            publish(.containerAdded) {
                $0.container = Container(container, growth.growth(of: container.key, at: moment))
            }
            logger.record(
                .containerAdded, .info, "container \(container.title) of \(container.image) is there",
                metadata: container.metadata)
        }
        for usage in difference.usage {
            let container = usage.container
            publish(.usage) {
                $0.container = Container(container, growth.growth(of: container.key, at: moment))
                $0.change = Since.Change(
                    diskBytes: usage.change.diskBytes, sizeBytes: usage.change.sizeBytes)
                $0.paths = paths[container.key]?.prefix(Self.pathLimit).map(Wire.PathGrowth.init)
            }
        }
    }

    func tell(_ alerts: [AlertRecord], at moment: Moment) {
        guard !alerts.isEmpty else { return }
        for alert in alerts {
            var event = FeedEvent(
                type: .alert, id: 0, time: WireCoding.timestamp(wallNanoseconds: moment.wall))
            event.alert = Alert(alert)
            hub.publish(event)
            let level: Logger.Level =
                alert.state == .resolved ? .notice : alert.severity == .critical ? .critical : .warning
            logger.record(
                alert.state == .resolved ? .alertResolved : .alertFiring, level, "\(alert.message)",
                metadata: alert.metadata)
        }
        alertsChanged()
    }

    private func tellJournal(_ source: SourceUsage, _ before: SourceUsage?) {
        let store = source.store
        let metadata: Logger.Metadata = [
            "engine": "\(store.engine)", "driver": "\(store.driver)", "root": "\(store.root)",
            "reason": "\(source.confidence.reason ?? "")",
        ]
        let isUnreadable = source.problems.contains { $0.severity == .unreadable }
        let wasUnreadable = before?.problems.contains { $0.severity == .unreadable } ?? false
        if isUnreadable, !wasUnreadable {
            logger.record(
                .storeUnreadable, .warning,
                "the store of \(store.engine) at \(store.root) cannot be read: \(source.confidence.reason ?? "")",
                metadata: metadata)
        } else if wasUnreadable, !isUnreadable {
            logger.record(
                .storeRecovered, .notice, "the store of \(store.engine) at \(store.root) can be read again",
                metadata: metadata)
        } else if before == nil {
            logger.record(
                .storeFound, .info, "following \(store.engine) (\(store.driver)) at \(store.root)",
                metadata: metadata)
        }
        for problem in source.problems
        where problem.severity == .damaged && before?.problems.contains(problem) != true {
            logger.record(
                .objectDamaged, .warning, "\(problem.path): \(problem.reason)",
                metadata: ["path": "\(problem.path)", "reason": "\(problem.reason)"])
        }
        if case .polling(let reason, let seconds) = source.confidence {
            logger.record(
                .polling, .warning,
                "layers of \(store.root) are looked at every \(seconds) s only: \(reason)",
                metadata: ["path": "\(store.root)", "reason": "\(reason)"])
        } else if case .polling = before?.confidence {
            logger.record(
                .watchesRecovered, .notice, "layers of \(store.root) are followed by events again",
                metadata: ["path": "\(store.root)"])
        }
    }
}

extension ContainerUsage {
    fileprivate var title: String { fact.name.isEmpty ? String(fact.id.prefix(12)) : fact.name }

    fileprivate var metadata: Logger.Metadata {
        ["container": "\(fact.name)", "container_id": "\(fact.id)", "image": "\(image)"]
    }
}

extension ImageUsage {
    fileprivate var title: String { fact.names.first ?? String(fact.id.prefix(12)) }

    fileprivate var metadata: Logger.Metadata { ["image": "\(title)", "image_id": "\(fact.id)"] }
}

extension AlertRecord {
    fileprivate var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = [
            "rule": "\(rule)", "engine": "\(store.engine)", "root": "\(store.root)",
            "container": "\(container)",
            "container_id": "\(containerID)", "image": "\(image)", "value_bytes": "\(valueBytes)",
            "limit_bytes": "\(limitBytes)", "severity": "\(severity.rawValue)",
        ]
        if let windowSeconds { metadata["window_seconds"] = "\(windowSeconds)" }
        if let path = top.first { metadata["top_path"] = "\(path.path)" }
        return metadata
    }
}
