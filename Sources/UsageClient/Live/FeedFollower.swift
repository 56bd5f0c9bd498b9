public import FoundationEssentials
public import Wire

/// Follows the feed over restarts of the daemon: what was lost meanwhile is resumed by the last event's id.
public final class FeedFollower {
    public enum Wake: Sendable {
        /// An event with its line as it came; nil for a type that this client does not know, or was not asked for.
        case event(FeedEvent?, line: Data)
        /// The connection ended; it is tried again.
        case disconnected
        case other, idle
    }

    /// The daemon sends heartbeats; without any sign of life for so long, the connection is made anew.
    private static let silenceLimit = Duration.seconds(120)
    private static let retryInterval = Duration.milliseconds(500)

    private let daemon: DaemonConnection
    private let kinds: Set<FeedEvent.Kind>?
    private var reader: FeedReader?
    /// The type of the last event; nil for one that this client does not know.
    public private(set) var lastKind: FeedEvent.Kind?
    private var lastID: Int64?
    private var lastLine = ContinuousClock.now
    private var lostSince: ContinuousClock.Instant?
    private var nextAttempt = ContinuousClock.now

    /// Connects.
    ///
    /// With `kinds`, of events of other kinds the type alone is read.
    public init(_ daemon: DaemonConnection, kinds: Set<FeedEvent.Kind>? = nil) throws(ClientError) {
        self.daemon = daemon
        self.kinds = kinds
        reader = try daemon.feed()
    }

    /// Waits for the next event, for another descriptor to become readable, or for the time to be over.
    ///
    /// - Throws: Once no new connection could be made for the timeout, or what comes cannot be read.
    public func next(or other: [Int32] = [], within wait: Duration) throws(ClientError) -> Wake {
        guard let reader else { return try reconnect(or: other, within: wait) }
        do throws(ClientError) {
            switch try reader.next(or: other, within: wait) {
            case .line(let line):
                lastLine = .now
                return .event(try event(line), line: line)
            case .other: return .other
            case .idle where ContinuousClock.now - lastLine < Self.silenceLimit: return .idle
            case .idle, .ended: return lose()
            }
        } catch {
            guard error.code == .disconnected else { throw error }
            return lose()
        }
    }

    private func lose() -> Wake {
        reader = nil
        lostSince = .now
        nextAttempt = .now
        return .disconnected
    }

    private func reconnect(or other: [Int32], within wait: Duration) throws(ClientError) -> Wake {
        let now = ContinuousClock.now
        guard now >= nextAttempt else {
            let ready = UnixSocket.wait(for: other, until: min(nextAttempt, now + wait))
            return ready.contains(true) ? .other : .idle
        }
        // A short timeout for each attempt: the keyboard is not read meanwhile.
        let attempt = DaemonConnection(socket: daemon.socket, timeout: min(daemon.timeout, .seconds(2)))
        do throws(ClientError) {
            reader = try attempt.feed(after: lastID)
            lastLine = .now
            lostSince = nil
        } catch {
            let lost = now - (lostSince ?? now)
            guard error.exitStatus == .noDaemon, lost < daemon.timeout else { throw error }
            nextAttempt = .now + Self.retryInterval
        }
        return .idle
    }

    private func event(_ line: Data) throws(ClientError) -> FeedEvent? {
        if let kinds {
            let head: UnknownEvent = try daemon.decode(line)
            guard let kind = FeedEvent.Kind(rawValue: head.type), kinds.contains(kind) else {
                lastKind = FeedEvent.Kind(rawValue: head.type)
                lastID = head.id ?? lastID
                return nil
            }
        }
        do throws(ClientError) {
            let event = try daemon.event(line)
            lastID = event.id
            lastKind = event.type
            return event
        } catch {
            // Types may be added to the feed; anything else that does not fit is a fault.
            let unknown: UnknownEvent = try daemon.decode(line)
            guard FeedEvent.Kind(rawValue: unknown.type) == nil else { throw error }
            lastID = unknown.id ?? lastID
            lastKind = nil
            return nil
        }
    }

    private struct UnknownEvent: Decodable {
        var type: String
        var id: Int64?
    }
}
