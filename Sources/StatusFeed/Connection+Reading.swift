import NIOCore
import NIOHTTP1
import Wire

extension Connection {
    func read(context: ChannelHandlerContext) {
        switch phase {
        case .idle, .receiving, .lingering, .closed: context.read()
        case .answering, .writing, .feeding: isReadHeld = true
        }
    }

    /// Called for each read of the socket, before it is decoded.
    func bytesArrived() {
        guard phase == .idle else { return }
        phase = .receiving
        if refusal == nil, hasAnswered { expect(within: core.limits.requestTimeout) { $0.requestTimedOut() } }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        arrived(.part(unwrapInboundIn(data)))
    }

    func arrived(_ incoming: ReadAhead.Item) {
        switch phase {
        case .idle, .receiving: take(incoming)
        case .lingering, .closed: break
        case .answering, .writing, .feeding:
            ahead.append(incoming)
        }
    }

    func take(_ incoming: ReadAhead.Item) {
        phase = .receiving
        switch incoming {
        case .broken(let problem):
            refuse(.problem(problem))
        case .part(.head(let head)):
            self.head = head
            bodyBytes = 0
            let announced = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
            if announced > core.limits.bodyBytes {
                refuse(.problem(tooLarge))
            } else if head.version == .http1_1,
                head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" })
            {
                // A client of HTTP/1.0 would take it for the answer.
                write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
                context?.flush()
            }
        case .part(.body(let bytes)):
            bodyBytes += bytes.readableBytes
            if bodyBytes > core.limits.bodyBytes { refuse(.problem(tooLarge)) }
        case .part(.end):
            guard let head else { return }
            answer(head)
        }
    }

    var tooLarge: Problem {
        Problem(
            .tooLarge,
            detail: "the request's body is over \(core.limits.bodyBytes) bytes; no request here needs one")
    }

    func requestTimedOut() {
        guard phase == .receiving else {
            abort("no request came")
            return
        }
        var problem = Problem(
            .invalidRequest,
            detail: "the request did not arrive within \(core.limits.requestTimeout); send it at once")
        problem.status = 408
        problem.title = "Request timeout"
        refuse(.problem(problem))
    }
}
