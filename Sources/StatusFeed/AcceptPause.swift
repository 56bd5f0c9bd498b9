import NIOCore

/// Stops accepting for a moment where a connection could not be accepted, for want of descriptors or memory.
///
/// The connection stays in the socket's queue and keeps it readable. NIO's own `AcceptBackoffHandler` waits only
/// where no read was asked for yet; after the error the socket is polled as before, and the loop spins.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.milliseconds(200)
    private let note: (IOError) -> Void

    init(_ note: @escaping (IOError) -> Void) {
        self.note = note
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError else {
            context.fireErrorCaught(error)
            return
        }
        note(error)
        let channel = NIOLoopBound(context.channel, eventLoop: context.eventLoop)
        try? channel.value.syncOptions?.setOption(.autoRead, value: false)
        context.eventLoop.scheduleTask(in: Self.pause) {
            try? channel.value.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}
