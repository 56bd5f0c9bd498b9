/// Counts connections and says whether one more may come in.
///
/// One user cannot shut the others out, and no user can shut root out.
struct ConnectionGate {
    private let limits: StatusServer.Limits
    private var perPeer: [Peer: Int] = [:]
    private var unprivileged = 0
    /// Connections that were let in and are still there.
    private(set) var count = 0
    /// Connections beyond the limit that are being told so.
    private var turnedAway = 0

    init(limits: StatusServer.Limits) {
        self.limits = limits
    }

    enum Decision: Equatable {
        case admit
        /// Answer with 503 and close.
        case turnAway
        /// Close without a word, because too many are being turned away already.
        case drop
    }

    /// Decides on a new connection; ``left(_:_:)`` must be called with the decision once it is closed.
    mutating func arrived(_ peer: Peer) -> Decision {
        guard isRoom(for: peer) else {
            guard turnedAway < limits.privilegedReserve else { return .drop }
            turnedAway += 1
            return .turnAway
        }
        count += 1
        perPeer[peer, default: 0] += 1
        if !peer.isPrivileged { unprivileged += 1 }
        return .admit
    }

    mutating func left(_ peer: Peer, _ decision: Decision) {
        switch decision {
        case .admit:
            count -= 1
            let remaining = (perPeer[peer] ?? 1) - 1
            perPeer[peer] = remaining > 0 ? remaining : nil
            if !peer.isPrivileged { unprivileged -= 1 }
        case .turnAway:
            turnedAway -= 1
        case .drop:
            break
        }
    }

    /// Whether nobody may come in, whoever it is.
    var isFull: Bool { count >= limits.connections }

    private func isRoom(for peer: Peer) -> Bool {
        guard count < limits.connections else { return false }
        if peer.isPrivileged { return true }
        return unprivileged < limits.connections - limits.privilegedReserve
            && perPeer[peer, default: 0] < limits.connectionsPerUser
    }
}
