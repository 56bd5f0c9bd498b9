import Glibc
public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
public import ServiceLifecycle

/// Serves the daemon's HTTP/1.1 interface on a socket.
///
/// It stands on NIO alone: a dozen fixed paths need no framework, and what matters here (the peer's credentials,
/// limits by user, a time for each phase of a request, a stream that waits for its reader) belongs to the connection.
public struct StatusServer: Service {
    /// Who can connect, and so what is answered.
    public enum Access: Sendable {
        /// Those that the file's mode lets in; the kernel tells who each is.
        case unix
        /// Everybody on this host; see ``WebAccess``.
        case loopback
    }

    private let socket: @Sendable () throws -> BoundSocket
    private let provider: any StatusProvider
    private let hub: FeedHub
    private let logger: Logger
    private let limits: Limits
    private let access: Access
    private let onListening: @Sendable () -> Void

    /// Describes a server; nothing is opened before ``run()``.
    ///
    /// - Parameters:
    ///   - listening: The socket to create, or the one that was passed.
    ///   - group: The group that a created socket file goes to, if it exists.
    ///   - provider: Who answers.
    ///   - hub: Where the feed's events come from; several servers may share it.
    ///   - logger: For what an operator should know.
    ///   - limits: What clients may take.
    ///   - access: What kind of socket it is.
    ///   - onListening: Called once when connections are taken.
    public init(
        listening: ListeningSocket, group: String?, provider: any StatusProvider, hub: FeedHub,
        logger: Logger,
        limits: Limits = Limits(), access: Access = .unix, onListening: @escaping @Sendable () -> Void = {}
    ) {
        socket = { try BoundSocket.open(listening, group: group, logger: logger) }
        self.provider = provider
        self.hub = hub
        self.logger = logger
        self.limits = limits
        self.access = access
        self.onListening = onListening
    }

    /// Describes a server on a socket that is open already; ``run()`` takes it over.
    public init(
        socket: BoundSocket, provider: any StatusProvider, hub: FeedHub, logger: Logger,
        limits: Limits = Limits(), access: Access = .unix, onListening: @escaping @Sendable () -> Void = {}
    ) {
        self.socket = { socket }
        self.provider = provider
        self.hub = hub
        self.logger = logger
        self.limits = limits
        self.access = access
        self.onListening = onListening
    }

    /// Serves until the graceful shutdown or the task's cancellation; then feeds are ended and answers under way
    /// finished.
    ///
    /// - Throws: ``ListeningSocketError``, or the error that ended the listening.
    public func run() async throws {
        let socket = try await NIOThreadPool.singleton.runIfActive { [socket] in try socket() }
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let core = try await eventLoop.submit { [self] in
            let core = makeCore(on: eventLoop)
            core.start()
            return NIOLoopBound(core, eventLoop: eventLoop)
        }.get()
        let channel: any Channel
        do {
            channel = try await bootstrap(on: eventLoop, core, socket).withBoundSocket(socket.descriptor)
                .get()
        } catch {
            // NIO owns the descriptor, whether it came to use it or not.
            socket.removeFile()
            _ = try? await eventLoop.flatSubmit { core.value.quiesce() }.get()
            throw error
        }
        onListening()
        let result: Result<Void, any Error>
        do {
            try await withTaskCancellationOrGracefulShutdownHandler {
                try await channel.closeFuture.get()
            } onCancelOrGracefulShutdown: {
                socket.removeFile()
                channel.close(promise: nil)
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        socket.removeFile()
        try await eventLoop.flatSubmit { core.value.quiesce() }.get()
        try result.get()
    }

    private func makeCore(on eventLoop: any EventLoop) -> ServerCore {
        let permits = PermitPool(limit: limits.concurrentRequests, reserved: limits.privilegedRequests)
        let responder = Responder(provider: provider, permits: permits, daemonUserID: geteuid())
        return ServerCore(
            limits: limits, access: access, responder: responder, hub: hub, logger: logger,
            eventLoop: eventLoop)
    }

    private func bootstrap(
        on eventLoop: any EventLoop, _ core: NIOLoopBound<ServerCore>, _ socket: BoundSocket
    ) -> ServerBootstrap {
        ServerBootstrap(group: eventLoop)
            // One at a time: the next is accepted when it is known that there is room.
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    socket.restoreQueue()
                    let pause = AcceptPause { core.value.noteUnacceptable($0) }
                    core.value.acceptPause = pause
                    try channel.pipeline.syncOperations.addHandler(pause)
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // One small read at a time: what it decodes to is all that a client can send ahead.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
            .childChannelInitializer { channel in
                Peer.credentials(of: channel, daemonUserID: geteuid()).flatMapThrowing { peer in
                    try core.value.accept(channel, from: peer)
                }
            }
    }
}

/// Makes NIO close a connection that was not set up.
private struct TurnedAway: Error {}

extension ServerCore {
    /// Sets up a new connection, or one that is told that there are too many.
    func accept(_ channel: any Channel, from peer: Peer) throws {
        let decision = arrived(peer)
        let core = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.closeFuture.whenComplete { _ in core.value.left(peer, decision) }
        guard decision != .drop, !isQuiescing else { throw TurnedAway() }
        let refusal = decision == .turnAway ? tooManyConnections : nil
        let connection = Connection(core: self, peer: peer, refusal: refusal)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(ReadObserver(connection))
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderFieldSize = limits.headerBytes
        decoderLimits.maxHeaderListSize = limits.headerBytes
        decoderLimits.maxHeaderFieldCount = 100
        var encoding = HTTPResponseEncoder.Configuration()
        encoding.automaticallySetFramingHeaders = false
        try pipeline.addHandler(HTTPResponseEncoder(configuration: encoding))
        try pipeline.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: decoderLimits)))
        try pipeline.addHandler(connection)
    }
}
