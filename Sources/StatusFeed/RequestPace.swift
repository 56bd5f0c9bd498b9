import NIOCore

/// Spaces the requests of a user who asks faster than the daemon is to be asked.
///
/// Nothing is refused; a request waits for its turn. By the generic cell rate algorithm (ITU-T I.371) a user may be so
/// many requests ahead of a steady rate. Root and the daemon's own user are not held up.
struct RequestPace {
    private let interval: TimeAmount
    /// How far ahead a user may be, and how far those may be together whose clients wait at once.
    private let ahead: TimeAmount
    private let farthest: TimeAmount
    /// When the next request of each user would be due at the steady rate.
    private var due: [Peer: NIODeadline] = [:]

    init(limits: StatusServer.Limits) {
        interval = .nanoseconds(1_000_000_000 / Int64(max(1, limits.requestsPerSecond)))
        ahead = interval * max(0, limits.requestBurst - 1)
        // What left while it waited is not held against the user for longer than that.
        farthest = ahead + interval * (limits.connectionsPerUser + 1)
    }

    /// How long a request that came now is to wait.
    mutating func delay(of peer: Peer, at now: NIODeadline) -> TimeAmount {
        guard !peer.isPrivileged else { return .zero }
        if due.count > 256 { due = due.filter { $0.value > now } }
        let turn = max(due[peer] ?? now, now)
        due[peer] = min(turn + interval, now + farthest)
        return max(.zero, turn - ahead - now)
    }
}
