import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Wire

@testable import StatusFeed

/// One connection to a server of its own, over a pair of sockets.
struct Exchange {
    private static let deadline = Duration.seconds(60)

    private let client: Int32
    private let channel: any Channel
    private let core: NIOLoopBound<ServerCore>
    private let hub: FeedHub
    private let end: ContinuousClock.Instant = .now + deadline

    /// Sends the parts, each when the server has read the one before, and returns all that it answers.
    static func answer(to parts: [[UInt8]], from peer: Peer) throws -> [UInt8] {
        let provider = FuzzProvider()
        let exchange = try Exchange(provider, peer)
        defer { close(exchange.client) }
        for part in parts { try exchange.send(part) }
        shutdown(exchange.client, Int32(SHUT_WR))
        let answer = try exchange.readToEnd()
        try exchange.channel.closeFuture.wait()
        try require(exchange.hub.readerCount == 0, "no reader of the feed stays behind")
        let marks = provider.marks.withLock { $0 }
        try require(peer.isPrivileged || marks.isEmpty, "a client that may only read set the marks \(marks)")
        for mark in marks { try requireNoControls(mark) }
        return answer
    }

    private static func requireNoControls(_ mark: String) throws {
        try require(mark.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "the mark \(mark.debugDescription)")
    }

    private init(_ provider: FuzzProvider, _ peer: Peer) throws {
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair) == 0
        else { throw FuzzFinding(description: "socketpair: \(String(cString: strerror(errno)))") }
        client = pair[0]
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let hub = FeedHub(firstID: 100, capacity: 2)
        for time in ["a", "b", "c"] { hub.publish(FeedEvent(type: .source, id: 0, time: time)) }
        self.hub = hub
        core = try loop.submit {
            let limits = StatusServer.Limits()
            let responder = Responder(
                provider: provider, permits: PermitPool(limit: 8, reserved: 2), daemonUserID: 0)
            let core = ServerCore(
                limits: limits, access: .unix, responder: responder, hub: hub,
                logger: Logger(label: "fuzz"), eventLoop: loop
            )
            return NIOLoopBound(core, eventLoop: loop)
        }.wait()
        channel = try ClientBootstrap(group: loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
            .channelInitializer { [core] channel in
                channel.eventLoop.makeCompletedFuture { try core.value.accept(channel, from: peer) }
            }
            .withConnectedSocket(pair[1]).wait()
    }

    private func send(_ part: [UInt8]) throws {
        // Where the server has closed, what it said is still to be read.
        guard Glibc.send(client, part, part.count, Int32(MSG_NOSIGNAL)) > 0 else { return }
        // The server reads nothing more from one who reads the feed.
        while unread > 0, !isFeeding, channel.isActive { try waitATurn() }
    }

    /// Bytes that the server has not read yet.
    private var unread: Int32 {
        var bytes: Int32 = 0
        _ = ioctl(client, UInt(TIOCOUTQ), &bytes)
        return bytes
    }

    private func readToEnd() throws -> [UInt8] {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(client, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                answer += buffer[..<count]
            } else if count == 0 || errno == ECONNRESET {
                return answer
            } else {
                if isFeeding { try endFeedWhenCaughtUp() }
                try waitATurn()
            }
        }
    }

    private func waitATurn() throws {
        try require(.now < end, "the server ends a connection whose client says no more")
        try channel.eventLoop.submit {}.wait()
    }

    private var isFeeding: Bool {
        hub.readerCount > 0
    }

    /// The feed ends with the client or with the daemon; this is the daemon's end.
    private func endFeedWhenCaughtUp() throws {
        try channel.eventLoop.submit { [channel, hub] in
            guard
                let connection = try? channel.pipeline.syncOperations.handler(type: Connection.self),
                let feed = connection.feed, feed.snapshot == .notNeeded, feed.lastID >= hub.lastID
            else { return }
            connection.quiesce()
        }.wait()
    }
}

/// Knows nothing but what it was asked for.
private final class FuzzProvider: StatusProvider {
    let marks = Mutex<[String]>([])

    func status(top: Int?) async -> Status { Status(time: "t", version: "1", exact: true) }
    func images() async -> ImageList { ImageList(time: "t", exact: true, images: []) }
    func tree() async -> Tree { Tree(time: "t", exact: true, roots: []) }
    func layers() async -> LayerList { LayerList(time: "t", exact: true, layers: []) }
    func containers() async -> ContainerList { ContainerList(time: "t", exact: true, containers: []) }
    func alerts() async -> AlertList { AlertList(time: "t", exact: true, alerts: [], rules: []) }
    func volumes() async -> VolumeList { VolumeList(time: "t", exact: true, volumes: []) }
    func orphans() async -> OrphanList { OrphanList(time: "t", exact: true, orphans: []) }
    func doctor() async -> DoctorFacts {
        DoctorFacts(
            time: "t", version: "1", kernel: "6.12", uid: 998, exact: true,
            watches: .init(used: 1, needed: 2),
            instances: .init(used: 1, needed: 3), queue: .init(overflows: 0),
            openFiles: .init(used: 30, needed: 100), inodes: .init(used: 5, needed: 5))
    }
    func health() -> Health { Health(status: "ok", version: "1", exact: true) }

    func image(_ reference: String) async throws(Problem) -> ImageDetail { throw unknown(reference) }
    func container(_ reference: String) async throws(Problem) -> ContainerDetail { throw unknown(reference) }
    func since(_ mark: String) async throws(Problem) -> Since { throw unknown(mark) }
    func explain(_ reference: String) async throws(Problem) -> Explanation { throw unknown(reference) }
    func reclaim(_ request: ReclaimRequest) async throws(Problem) -> Reclaim {
        throw unknown(request.references.first ?? "")
    }

    func setMark(_ name: String) async throws(Problem) -> MarkSet {
        marks.withLock { $0.append(name) }
        return MarkSet(mark: name, time: "t", exact: true)
    }

    private func unknown(_ reference: String) -> Problem {
        Problem(.notFound, detail: "nothing is named \(reference)", candidates: [reference])
    }
}
