import Logging
import NIOCore
import Wire

/// What the connections of one server share; only its event loop touches it.
final class ServerCore {
    let limits: StatusServer.Limits
    let access: StatusServer.Access
    let responder: Responder
    let hub: FeedHub
    let logger: Logger
    private let eventLoop: any EventLoop
    private(set) var isQuiescing = false

    /// Of the listening socket.
    var acceptPause: AcceptPause?
    private var gate: ConnectionGate
    private var impatience: Scheduled<Void>?
    private var pace: RequestPace
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var feeds: [ObjectIdentifier: Connection] = [:]
    private var subscription: Int?
    /// From the beginning of a round of writing to all feeds to the end of the rest after it.
    private var isRoundUnderWay = false
    private var isRoundWanted = false
    private static let shortestRest = TimeAmount.milliseconds(1)
    private var heartbeats: RepeatedTask?
    private var whenEmpty: EventLoopPromise<Void>?
    private var turnedAwaySinceNote = 0
    private var nextNote = NIODeadline.now()
    private var nextScarcityNote = NIODeadline.now()

    init(
        limits: StatusServer.Limits, access: StatusServer.Access, responder: Responder, hub: FeedHub,
        logger: Logger, eventLoop: any EventLoop
    ) {
        self.limits = limits
        self.access = access
        self.responder = responder
        self.hub = hub
        self.logger = logger
        self.eventLoop = eventLoop
        gate = ConnectionGate(limits: limits)
        pace = RequestPace(limits: limits)
    }

    func start() {
        let core = NIOLoopBound(self, eventLoop: eventLoop)
        let eventLoop = eventLoop
        subscription = hub.subscribe {
            eventLoop.execute { core.value.eventsCame() }
        }
        let interval = TimeAmount(limits.heartbeat)
        heartbeats = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            for feed in core.value.feeds.values { feed.sendHeartbeat() }
        }
    }

    // MARK: - Connections

    func arrived(_ peer: Peer) -> ConnectionGate.Decision {
        let decision = gate.arrived(peer)
        if decision != .admit { noteTurnedAway(peer) }
        if gate.isFull { holdQueue() }
        return decision
    }

    func left(_ peer: Peer, _ decision: ConnectionGate.Decision) {
        gate.left(peer, decision)
        if !gate.isFull { releaseQueue() }
    }

    /// Whoever connects now waits in the socket's queue, but not without end.
    private func holdQueue() {
        guard impatience == nil, !isQuiescing else { return }
        acceptPause?.hold()
        let core = NIOLoopBound(self, eventLoop: eventLoop)
        impatience = eventLoop.scheduleTask(in: TimeAmount(limits.queuePatience)) {
            // Kept: until one ends, those that come are told at once.
            core.value.acceptPause?.release()
        }
    }

    private func releaseQueue() {
        guard impatience != nil else { return }
        impatience?.cancel()
        impatience = nil
        acceptPause?.release()
    }

    func opened(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = connection
    }

    func closed(_ connection: Connection) {
        feedEnded(connection)
        connections[ObjectIdentifier(connection)] = nil
        if connections.isEmpty { whenEmpty?.succeed() }
    }

    /// How long a request that came now is to wait for its turn.
    func delay(of peer: Peer) -> TimeAmount {
        pace.delay(of: peer, at: .now())
    }

    var tooManyConnections: Problem {
        Problem(
            .unavailable,
            detail:
                "too many connections, \(limits.connections) in all and \(limits.connectionsPerUser) of a user; "
                + "close some and try again")
    }

    /// At most a line a minute: a client can connect as often as it likes.
    private func noteTurnedAway(_ peer: Peer) {
        turnedAwaySinceNote += 1
        guard NIODeadline.now() >= nextNote else { return }
        logger.warning(
            "too many connections to the status socket, the excess is turned away",
            metadata: [
                "uid": "\(peer.name)", "connections": "\(gate.count)",
                "turned-away": "\(turnedAwaySinceNote)",
            ])
        turnedAwaySinceNote = 0
        nextNote = .now() + .minutes(1)
    }

    /// A connection is closed for a reason that its client is not told.
    func noteAborted(_ peer: Peer, _ reason: String) {
        logger.debug(
            "a connection to the status socket is closed: \(reason)", metadata: ["uid": "\(peer.name)"])
    }

    /// A connection could not be accepted; it waits in the socket's queue.
    func noteUnacceptable(_ error: IOError) {
        guard NIODeadline.now() >= nextScarcityNote else { return }
        logger.warning(
            """
            connections to the status socket wait: \(error); raise LimitNOFILE= of usaged.service if it stays so
            """)
        nextScarcityNote = .now() + .minutes(1)
    }

    // MARK: - Feeds

    func feedBegan(_ connection: Connection) {
        guard feeds.updateValue(connection, forKey: ObjectIdentifier(connection)) == nil else { return }
        hub.readersChanged(by: 1)
        if let subscription { hub.arm(subscription) }
    }

    func feedEnded(_ connection: Connection) {
        guard feeds.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        hub.readersChanged(by: -1)
    }

    private func eventsCame() {
        guard !isRoundUnderWay else {
            isRoundWanted = true
            return
        }
        giveToFeeds()
    }

    /// A reader took all that was written for it, or its snapshot, and there may be more.
    func feedWantsMore() {
        isRoundWanted = true
        if !isRoundUnderWay { rest(after: .zero) }
    }

    /// Writes for each reader what it has not got yet, as far as it reads.
    private func giveToFeeds() {
        guard !feeds.isEmpty, let subscription else { return }
        isRoundUnderWay = true
        isRoundWanted = false
        hub.arm(subscription)
        let start = NIODeadline.now()
        for feed in feeds.values { feed.pump() }
        rest(after: NIODeadline.now() - start)
    }

    /// Leaves the event loop to others before the next round.
    ///
    /// NIO does tasks for as long as there are any, and looks at no socket meanwhile; where events come faster than they
    /// are written, there would always be one. Two servers may share the loop, hence twice the time.
    private func rest(after round: TimeAmount) {
        isRoundUnderWay = true
        let core = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: max(Self.shortestRest, round * 2)) {
            core.value.isRoundUnderWay = false
            if core.value.isRoundWanted { core.value.giveToFeeds() }
        }
    }

    // MARK: - Shutdown

    /// Ends the feeds, lets answers under way finish, and succeeds when no connection is left.
    func quiesce() -> EventLoopFuture<Void> {
        isQuiescing = true
        releaseQueue()
        acceptPause = nil
        heartbeats?.cancel()
        heartbeats = nil
        if let subscription { hub.unsubscribe(subscription) }
        subscription = nil
        let promise = eventLoop.makePromise(of: Void.self)
        whenEmpty = promise
        if connections.isEmpty { promise.succeed() }
        for connection in connections.values { connection.quiesce() }
        let core = NIOLoopBound(self, eventLoop: eventLoop)
        let deadline = eventLoop.scheduleTask(in: TimeAmount(limits.drainTimeout)) {
            for connection in core.value.connections.values {
                connection.abort("the daemon cannot wait any longer with its shutdown")
            }
        }
        promise.futureResult.whenComplete { _ in deadline.cancel() }
        return promise.futureResult
    }
}
