import NIOCore
import NIOHTTP1
import Wire

/// One client's connection: takes a request at a time, answers it, and gives up on a client that keeps it waiting.
///
/// It stands behind the HTTP decoder. While a request is being answered nothing more is read, so that what a client
/// can send ahead is bounded by one read of the socket.
final class Connection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    enum Phase {
        /// No byte of the next request has come.
        case idle
        /// A request has begun.
        case receiving
        /// The daemon was asked.
        case answering
        /// The client is to read the answer.
        case writing
        case feeding
        /// All is said; the client is to close.
        case lingering
        case closed
    }

    let core: ServerCore
    let peer: Peer
    /// What a connection over the limit is told.
    let refusal: Problem?

    var context: ChannelHandlerContext?
    var phase = Phase.idle
    var feed: FeedReader?

    var head: HTTPRequestHead?
    var bodyBytes = 0
    var ahead: ReadAhead
    var isTakingAhead = false
    var isReadHeld = false
    var isInputClosed = false
    /// Whether a request was answered before: the first one's time runs from the connection's start.
    var hasAnswered = false
    var closesAfterAnswer = false
    var isPumping = false
    var isPumpWanted = false
    var question: Task<Void, Never>?
    private var timeout: Scheduled<Void>?

    init(core: ServerCore, peer: Peer, refusal: Problem? = nil) {
        self.core = core
        self.peer = peer
        self.refusal = refusal
        ahead = ReadAhead(limit: core.limits.pipelinedRequests)
    }

    // MARK: - Life of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        core.opened(self)
        if context.channel.isActive { begin() }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin()
        context.fireChannelActive()
    }

    private func begin() {
        if let refusal {
            refuse(.problem(refusal))
        } else {
            // A client that connects has something to ask: the time runs from here.
            expect(within: core.limits.requestTimeout) { $0.requestTimedOut() }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    private func end() {
        guard phase != .closed else { return }
        phase = .closed
        timeout?.cancel()
        timeout = nil
        question?.cancel()
        question = nil
        feed = nil
        ahead.removeAll()
        core.closed(self)
        context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            isInputClosed = true
            switch phase {
            case .receiving: abort("the client left in the middle of a request")
            case .idle, .lingering: context.close(promise: nil)
            // The client sends no more, but reads on.
            case .answering, .writing, .feeding, .closed: break
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            // After a refused request the decoder reports each further read; anything else is the socket's end.
            if phase != .lingering, !(error is ByteToMessageDecoderError) { abort("\(error)") }
            return
        }
        // The client closed in the middle of a request.
        if case .invalidEOFState = error { return }
        arrived(.broken(Self.problem(for: error, limits: core.limits)))
    }

    // MARK: - Ending

    /// Closes the sending side and waits a moment for the client, so that it reads the answer before the end.
    func linger() {
        guard let context else { return }
        phase = .lingering
        ahead.removeAll()
        if isInputClosed {
            context.close(promise: nil)
            return
        }
        expect(within: core.limits.lingerTimeout) {
            $0.abort("the client did not close after the last answer")
        }
        context.close(mode: .output, promise: nil)
        readOn()
    }

    /// Closes at once; the log has the reason, which the client is not told.
    func abort(_ reason: String) {
        guard let context else { return }
        core.noteAborted(peer, reason)
        context.close(promise: nil)
    }

    func closeAfterWriting(_ context: ChannelHandlerContext) {
        phase = .writing
        closesAfterAnswer = true
        finish(context)
    }

    func quiesce() {
        switch phase {
        case .idle: abort("the daemon is shutting down")
        case .feeding:
            pump()
            endFeed()
        case .receiving, .answering, .writing: closesAfterAnswer = true
        case .lingering, .closed: break
        }
    }

    func cancelTimeout() {
        timeout?.cancel()
        timeout = nil
    }

    func expect(within duration: Duration, else action: @escaping @Sendable (Connection) -> Void) {
        timeout?.cancel()
        guard let context else { return }
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(in: TimeAmount(duration)) { action(connection.value) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if phase == .feeding { feedWritabilityChanged(context.channel.isWritable) }
        context.fireChannelWritabilityChanged()
    }

    func write(_ part: HTTPServerResponsePart) {
        context?.write(wrapOutboundOut(part), promise: nil)
    }
}

extension Connection {
    /// What a client is told whose request cannot be read.
    static func problem(for error: HTTPParserError, limits: StatusServer.Limits) -> Problem {
        guard case .headerOverflow = error else {
            return Problem(.invalidRequest, detail: "this is not an HTTP/1.1 request: \(error)")
        }
        var problem = Problem(
            .tooLarge, detail: "the request's target and header fields are over \(limits.headerBytes) bytes")
        problem.status = 431
        return problem
    }
}
