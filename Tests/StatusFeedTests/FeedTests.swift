import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Testing
import UsageTestKit
import Wire

@testable import StatusFeed

@Suite struct FeedTests {
    @Test(
        "the feed begins with a snapshot and goes on with what is published, in either format",
        arguments: [
            (nil, "application/x-ndjson"), ("*/*", "application/x-ndjson"),
            ("application/x-ndjson", "application/x-ndjson"), ("text/event-stream", "text/event-stream"),
            ("text/html,application/xhtml+xml,*/*;q=0.8", "text/event-stream"),
        ] as [(String?, String)])
    func formats(accept: String?, type: String) async throws {
        try await TestServer.run { server in
            server.hub.publish(.numbered(0))
            let feed = try await onThread { try FeedClient(server.path, accept: accept) }
            #expect(feed.headers["content-type"] == type)
            let first = try await onThread { try feed.events() }
            #expect(first?.count == 1)
            #expect(first?.first?.type == .snapshot)
            #expect(first?.first?.id == 1001)
            #expect(first?.first?.lost == nil)
            #expect(first?.first?.status == (await server.provider.status(top: nil)))
            for number in 1...3 { server.hub.publish(.numbered(number, padding: 10)) }
            let events = try await onThread { try feed.events { $0.time == "3" } }
            #expect(events.map(\.id) == [1002, 1003, 1004])
            #expect(events.map(\.time) == ["1", "2", "3"])
            #expect(events[0].paths == [PathGrowth(path: String(repeating: "x", count: 10), growthBytes: 1)])
        }
    }

    @Test("a reader that comes back gets what it missed, without a snapshot")
    func resume() async throws {
        try await TestServer.run { server in
            for number in 1...500 { server.hub.publish(.numbered(number)) }
            let byHeader = try await onThread {
                try FeedClient(server.path, lastEventID: 1200).events { $0.id == 1500 }
            }
            #expect(byHeader.map(\.id) == Array(1201...1500))
            let byQuery = try await onThread {
                try FeedClient(server.path, target: "/v1/feed?since=1499", accept: "text/event-stream")
                    .events { $0.id == 1500 }
            }
            #expect(byQuery.map(\.id) == [1500])
            let current = try await onThread { try FeedClient(server.path, lastEventID: 1500) }
            try await eventually("a reader is there") { server.hub.readerCount == 1 }
            server.hub.publish(.numbered(501))
            let next = try await onThread { try current.events() }
            #expect(next?.map(\.id) == [1501])
        }
    }

    @Test(
        "a reader that was away too long, or in another run, gets a snapshot that says what it lost",
        arguments: [
            (1010, 90), (1000, 100), (999, 100), (7, 100), (5000, 100), (Int64.max, 100), (Int64.min, 100),
        ]
            as [(Int64, Int64)])
    func resumeBeyondTheRing(from id: Int64, lost: Int64) async throws {
        try await TestServer.run(hub: FeedHub(firstID: 1000, capacity: 50)) { server in
            for number in 1...100 { server.hub.publish(.numbered(number)) }
            let first = try await onThread { try FeedClient(server.path, lastEventID: id).events() }
            #expect(first?.map(\.type) == [.snapshot])
            #expect(first?.first?.id == 1100)
            #expect(first?.first?.lost == lost)
        }
    }

    @Test("an event published while the snapshot is made comes after it")
    func eventDuringSnapshot() async throws {
        let hub = FeedHub(firstID: 0)
        let provider = TestProvider { hub.publish(.numbered(1)) }
        try await TestServer.run(provider: provider, hub: hub) { server in
            let events = try await onThread { try FeedClient(server.path).events { $0.id == 1 } }
            #expect(events.map(\.type) == [.snapshot, .usage])
            #expect(events.map(\.id) == [0, 1])
        }
    }

    @Test("a slow reader loses events and is told how many, a fast one gets all")
    func slowReader() async throws {
        let hub = FeedHub(firstID: 0, capacity: 64)
        var limits = StatusServer.Limits.ample
        // It stands still for as long as the other reads, whatever that takes.
        limits.feedStallTimeout = .seconds(3600)
        try await TestServer.run(hub: hub, limits: limits) { server in
            let slow = try await onThread { try FeedClient(server.path) }
            let fast = try await onThread { try FeedClient(server.path, accept: "text/event-stream") }
            let fastRead = Mutex<[FeedEvent]>([])
            let reading = Task {
                try await onThread {
                    while fastRead.withLock({ $0.last?.id }) != 3000, let events = try fast.events() {
                        fastRead.withLock { $0 += events }
                    }
                }
            }
            try await eventually("the fast one has its snapshot") { fastRead.withLock { !$0.isEmpty } }
            for number in 1...3000 {
                hub.publish(.numbered(number, padding: 1000))
                if number % 50 == 0 {
                    try await eventually("the fast one has read so far") {
                        fastRead.withLock { $0.last?.id == Int64(number) }
                    }
                }
            }
            try await reading.value
            // On a busy machine there may be heartbeats among them.
            #expect(fastRead.withLock { $0.filter { $0.type == .usage }.map(\.id) } == Array(1...3000))

            let events = try await onThread { try slow.events { $0.id == 3000 } }
            var last: Int64?
            var snapshots = 0
            for event in events where event.type != .heartbeat {
                if event.type == .snapshot {
                    snapshots += 1
                    if let last { #expect(event.lost == event.id - last) }
                } else {
                    #expect(event.id == (last ?? 0) + 1)
                }
                last = event.id
            }
            #expect(snapshots >= 2)
            #expect(events.count < 3000)
        }
    }

    @Test("fifty readers each get thousands of events in order")
    func manyReaders() async throws {
        let hub = FeedHub(firstID: 0)
        try await TestServer.run(hub: hub) { server in
            try await withThrowingTaskGroup(of: [Int64].self) { group in
                for number in 0..<50 {
                    group.addTask {
                        try await onThread {
                            let accept = number % 2 == 0 ? "text/event-stream" : "application/x-ndjson"
                            return try FeedClient(server.path, accept: accept).events { $0.id == 3000 }
                                .filter { $0.type == .usage }.map(\.id)
                        }
                    }
                }
                try await eventually("all are there") { hub.readerCount == 50 }
                for number in 1...3000 { hub.publish(.numbered(number)) }
                for try await ids in group {
                    // One that came to read after the first events has them in its snapshot.
                    #expect(ids == Array((ids.first ?? 0)...3000))
                }
            }
            try await eventually("all have left") { hub.readerCount == 0 }
        }
    }

    @Test("events without end, faster than they can be written, keep no request from its answer")
    func endlessEvents() async throws {
        let hub = FeedHub(firstID: 0)
        var limits = StatusServer.Limits.ample
        // Time counts for a connection whether its socket is looked at or not.
        limits.requestTimeout = .seconds(2 * Sanitizer.slowdown)
        try await TestServer.run(hub: hub, limits: limits) { server in
            let flood = EventFlood(hub)
            let readers = (0..<40).map { _ in
                Task {
                    try await onThread {
                        let feed = try FeedClient(server.path)
                        while !flood.isOver, try feed.raw.chunk() != nil {}
                    }
                }
            }
            try await eventually("all are there") { hub.readerCount == 40 }
            flood.start()
            do {
                defer { flood.end() }
                for _ in 0..<5 { #expect(try await server.request("/healthz").status == 200) }
            }
            for reader in readers { try await reader.value }
        }
    }

    @Test("heartbeats come between the events and carry the last one's id")
    func heartbeats() async throws {
        var limits = StatusServer.Limits.ample
        limits.heartbeat = .milliseconds(20)
        try await TestServer.run(limits: limits) { server in
            let feed = try await onThread { try FeedClient(server.path) }
            _ = try await onThread { try feed.events { $0.type == .heartbeat && $0.id == 1000 } }
            server.hub.publish(.numbered(1))
            let events = try await onThread { try feed.events { $0.type == .heartbeat && $0.id == 1001 } }
            #expect(events.filter { $0.type == .usage }.map(\.id) == [1001])
            #expect(server.hub.lastID == 1001)
        }
    }

    @Test("a reader that goes away is noticed at once, one that closes its sending side is not cut")
    func deadReader() async throws {
        try await TestServer.run { server in
            var feed: FeedClient? = try await onThread { try FeedClient(server.path) }
            try await eventually("it is there") { server.hub.readerCount == 1 }
            feed?.raw.endInput()
            _ = try await onThread { [feed] in try feed?.events() }
            server.hub.publish(.numbered(1))
            let event = try await onThread { [feed] in try feed?.events() }
            #expect(event?.map(\.id) == [1001])
            feed = nil
            try await eventually("it is gone") { server.hub.readerCount == 0 }
        }
    }

    @Test("an HTTP/1.0 client gets the feed without chunks")
    func oldClient() async throws {
        try await TestServer.run { server in
            let line = try await onThread {
                let client = try RawClient(server.path)
                try client.send("GET /v1/feed HTTP/1.0\r\n\r\n")
                #expect(try client.head().headers["transfer-encoding"] == nil)
                return try client.line(ending: "\n")
            }
            #expect(line.hasPrefix("{") && line.hasSuffix("}"))
        }
    }

    @Test("a graceful shutdown ends the feed in order, finishes an answer and leaves no socket file")
    func gracefulShutdown() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            let (asked, askedContinuation) = AsyncStream.makeStream(of: Void.self)
            let (release, releaseContinuation) = AsyncStream.makeStream(of: Void.self)
            let isHolding = Mutex(false)
            let provider = TestProvider {
                guard isHolding.withLock({ $0 }) else { return }
                askedContinuation.yield()
                for await _ in release { break }
            }
            let (listens, continuation) = AsyncStream.makeStream(of: Void.self)
            let server = StatusServer(
                listening: .path(path), group: nil, provider: provider, hub: FeedHub(firstID: 0),
                logger: Logger(label: "test"), onListening: { continuation.yield() })
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let services = ServiceGroup(services: [server], logger: logger)
            let running = Task { try await services.run() }
            for await _ in listens { break }

            let feed = try await onThread { try FeedClient(path) }
            _ = try await onThread { try feed.events() }
            isHolding.withLock { $0 = true }
            let answer = Task {
                try await onThread {
                    let client = try RawClient(path)
                    try client.get("/v1/status")
                    return try client.response()
                }
            }
            for await _ in asked { break }
            await services.triggerGracefulShutdown()
            let end = try await onThread { try feed.events() }
            #expect(end == nil)
            releaseContinuation.yield()
            let response = try await answer.value
            #expect(response.status == 200)
            #expect(response.headers["connection"] == "close")
            try await running.value
            #expect(throws: ClientError.self) { try RawClient(path) }
        }
    }
}

/// Publishes events without a pause.
private final class EventFlood: Sendable {
    private let hub: FeedHub
    private let over = Mutex(false)

    init(_ hub: FeedHub) {
        self.hub = hub
    }

    var isOver: Bool { over.withLock(\.self) }

    func start() {
        Thread.detachNewThread { [self] in
            var number = 0
            while !isOver {
                hub.publish(.numbered(number))
                number += 1
            }
            // So that no reader waits for one.
            hub.publish(.numbered(number))
        }
    }

    func end() {
        over.withLock { $0 = true }
    }
}
