internal import Kernel
internal import SystemPackage
internal import UsageClient
internal import Wire

/// The alerts of the daemon as they come, over restarts of the daemon and of this process.
///
/// The feed tells transitions; a list of everything tells what was missed. One follows on the other where the feed
/// begins anew, and now and then, so that nothing that was missed stays so.
final class AlertFeed {
    enum Wake {
        case alert(Alert)
        /// Everything at one moment: what fires, and of each other alert its last end.
        case list([Alert], time: String)
        /// No daemon answers, told once until one does.
        case lost(ClientError)
        case connected
        case idle
    }

    private static let retryInterval = Duration.seconds(1)
    private static let listInterval = Duration.seconds(600)

    private let daemon: DaemonConnection
    private var follower: FeedFollower?
    private var nextAttempt = ContinuousClock.now
    private var nextList: ContinuousClock.Instant?
    private var isLost = false
    /// The time of the last list: the feed may tell once more what it had.
    private var listedUntil = ""
    private var sinceOfListed: [AlertKey: String] = [:]

    init(_ daemon: DaemonConnection) {
        self.daemon = daemon
    }

    /// Waits for news, or for the other descriptor to become readable.
    func next(or other: FileDescriptor, within wait: Duration) -> Wake {
        do throws(ClientError) {
            return try advance(or: other, within: wait)
        } catch {
            follower = nil
            nextAttempt = .now + Self.retryInterval
            guard !isLost else { return .idle }
            isLost = true
            return .lost(error)
        }
    }

    private func advance(or other: FileDescriptor, within wait: Duration) throws(ClientError) -> Wake {
        let now = ContinuousClock.now
        guard let follower else {
            guard now >= nextAttempt else {
                _ = Poll.wait(
                    for: [other],
                    timeoutMilliseconds: Int32((min(nextAttempt, now + wait) - now).milliseconds))
                return .idle
            }
            self.follower = try FeedFollower(daemon, kinds: [.alert])
            nextList = now
            defer { isLost = false }
            return isLost ? .connected : .idle
        }
        if let nextList, now >= nextList { return try list() }
        let left = nextList.map { $0 - now } ?? wait
        switch try follower.next(or: [other.rawValue], within: min(wait, left)) {
        case .event(.some(let event), _):
            guard event.type == .alert, let alert = event.alert, !isOutdated(alert, at: event.time) else {
                return .idle
            }
            return .alert(alert)
        case .event(nil, _) where follower.lastKind == .snapshot:
            nextList = .now
            return .idle
        case .event, .disconnected, .other, .idle: return .idle
        }
    }

    private func list() throws(ClientError) -> Wake {
        let list = try daemon.alerts()
        nextList = .now + Self.listInterval
        // What fires stands before what was resolved, and that the newest first.
        var seen: Set<AlertKey> = []
        let latest = list.alerts.filter { seen.insert(AlertKey($0)).inserted }.sorted { $0.since < $1.since }
        listedUntil = list.time
        sinceOfListed = Dictionary(
            latest.map { (AlertKey($0), $0.since) }, uniquingKeysWith: { first, _ in first })
        return .list(latest, time: list.time)
    }

    /// Whether an event is of before the list, which had a later state of the same alert.
    private func isOutdated(_ alert: Alert, at time: String) -> Bool {
        guard time <= listedUntil, let listed = sinceOfListed[AlertKey(alert)] else { return false }
        return alert.since < listed
    }
}
