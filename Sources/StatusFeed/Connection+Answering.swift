import NIOCore
import NIOHTTP1
import Wire

extension Connection {
    func answer(_ head: HTTPRequestHead) {
        phase = .answering
        // It has arrived; the wait for its turn has an end of its own.
        cancelTimeout()
        // After CONNECT or an upgrade the decoder stands still.
        closesAfterAnswer =
            !head.isKeepAlive || head.version != .http1_1 || head.method == .CONNECT
            || head.headers.contains(name: "upgrade") || core.isQuiescing
        let delay = core.delay(of: peer)
        guard delay > .zero, let eventLoop = context?.eventLoop else {
            serve(head)
            return
        }
        let connection = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: delay) {
            // The client may have left meanwhile.
            if connection.value.phase == .answering { connection.value.serve(head) }
        }
    }

    private func serve(_ head: HTTPRequestHead) {
        do throws(Refusal) {
            if core.access == .loopback { try WebAccess.check(head) }
            let route = try Route.of(method: head.method.rawValue, target: head.uri)
            if case .feed(let since) = route {
                try beginFeed(head, since: since)
            } else {
                ask(route)
            }
        } catch {
            respond(.problem(error.problem, allow: error.allow))
        }
    }

    func ask(_ route: Route) {
        guard let eventLoop = context?.eventLoop else { return }
        let connection = NIOLoopBound(self, eventLoop: eventLoop)
        question = Task { [responder = core.responder, peer] in
            let answer = await responder.answer(route, for: peer)
            eventLoop.execute { connection.value.answered(answer) }
        }
        expect(within: core.limits.answerTimeout) { connection in
            connection.question?.cancel()
            connection.closesAfterAnswer = true
            connection.answered(
                .problem(Problem(.unavailable, detail: "the daemon did not answer in time; ask again later")))
        }
    }

    func answered(_ answer: Answer) {
        guard phase == .answering else { return }
        question = nil
        respond(answer)
    }

    /// Answers what could not be read as a request, and closes.
    func refuse(_ answer: Answer) {
        closesAfterAnswer = true
        respond(answer)
    }

    func respond(_ answer: Answer) {
        guard let context, phase != .closed, phase != .lingering else { return }
        phase = .writing
        let head = self.head
        self.head = nil
        if core.isQuiescing { closesAfterAnswer = true }
        write(.head(answer.head(version: head?.version ?? .http1_1, close: closesAfterAnswer)))
        if head?.method != .HEAD { write(.body(.byteBuffer(answer.body))) }
        finish(context)
    }

    /// Writes the end of a response and goes on when the client has read it.
    func finish(_ context: ChannelHandlerContext) {
        expect(within: core.limits.writeTimeout) { $0.abort("the client did not read the answer in time") }
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenSuccess { connection.value.responseWritten() }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }

    func responseWritten() {
        guard phase == .writing else { return }
        hasAnswered = true
        if closesAfterAnswer {
            linger()
            return
        }
        phase = .idle
        expect(within: core.limits.keepAliveTimeout) { $0.abort("no further request came") }
        takeAhead()
    }

    /// Takes up what was sent ahead; the flag keeps answers that are written at once from nesting.
    func takeAhead() {
        guard !isTakingAhead else { return }
        isTakingAhead = true
        while phase == .idle || phase == .receiving, let next = ahead.popFirst() {
            if case .part(.head) = next {
                expect(within: core.limits.requestTimeout) { $0.requestTimedOut() }
            }
            take(next)
        }
        isTakingAhead = false
        guard phase == .idle || phase == .receiving else { return }
        if ahead.isTooFar || core.isQuiescing {
            linger()
        } else if isInputClosed {
            context?.close(promise: nil)
        } else {
            readOn()
        }
    }

    func readOn() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }
}
