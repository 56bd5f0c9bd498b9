import NIOCore

/// Stops accepting connections for a while; they wait in the socket's queue.
///
/// That is where a connection could not be accepted, for want of descriptors or memory: it keeps the socket readable.
/// NIO's own `AcceptBackoffHandler` waits only where no read was asked for yet; after the error the socket is polled as
/// before, and the loop spins. And it is where there are as many connections as may be, see ``hold()``.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.milliseconds(200)
    private let note: (IOError) -> Void
    private var channel: (any Channel)?
    private var isScarce = false
    private var isHeld = false

    init(_ note: @escaping (IOError) -> Void) {
        self.note = note
    }

    func handlerAdded(context: ChannelHandlerContext) {
        channel = context.channel
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        channel = nil
    }

    /// Accepts no connection until ``release()``.
    func hold() {
        isHeld = true
        apply()
    }

    func release() {
        isHeld = false
        apply()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError else {
            context.fireErrorCaught(error)
            return
        }
        note(error)
        isScarce = true
        apply()
        let pause = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.pause) {
            pause.value.isScarce = false
            pause.value.apply()
        }
    }

    private func apply() {
        try? channel?.syncOptions?.setOption(.autoRead, value: !isHeld && !isScarce)
    }
}
