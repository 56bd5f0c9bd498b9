internal import Foundation
internal import Glibc
internal import Synchronization
public import Wire

/// Follows the feed through `usage-client feed --json` and keeps what came, each with the time of its coming.
public final class FeedRecorder: Sendable {
    public struct Arrival: Sendable {
        /// When the reading thread had the line.
        public let time: ContinuousClock.Instant
        public let event: FeedEvent
    }

    private final class Log: Sendable {
        let arrivals = Mutex<[Arrival]>([])
        let unreadable = Mutex<[String]>([])

        func take(_ line: String) {
            let time = ContinuousClock.now
            do {
                let event = try WireCoding.decode(FeedEvent.self, from: Data(line.utf8))
                arrivals.withLock { $0.append(Arrival(time: time, event: event)) }
            } catch {
                unreadable.withLock { $0.append("\(line.prefix(500)): \(error)") }
            }
        }
    }

    private let log: Log
    private let child: ChildProcess

    /// Starts the client and waits for the feed's snapshot.
    public static func start(_ query: UsageQuery) async throws -> FeedRecorder {
        let log = Log()
        let child = try await ChildProcess.start(
            [UsagedProcess.executable("usage-client"), "feed", "--json"],
            environment: ["USAGED_SOCKET": query.socket], output: .lines { log.take($0) },
            diesWithParent: true)
        let reader = FeedRecorder(log: log, child: child)
        _ = try await reader.first("the feed's snapshot") { $0.type == .snapshot }
        return reader
    }

    private init(log: Log, child: ChildProcess) {
        self.log = log
        self.child = child
    }

    /// How many events came until now; ``first(from:_:deadline:where:)`` takes it.
    public var count: Int { log.arrivals.withLock { $0.count } }

    public var arrivals: [Arrival] { log.arrivals.withLock { $0 } }

    /// Lines that were no event, which is a fault.
    public var unreadable: [String] { log.unreadable.withLock { $0 } }

    /// Waits for the first event from position `start` on that `matches`.
    public func first(
        from start: Int = 0, _ what: String, deadline: Duration = .seconds(10),
        where matches: @Sendable (FeedEvent) -> Bool
    ) async throws -> Arrival {
        var next = start
        return try await wait(for: what, deadline: deadline) {
            let new = log.arrivals.withLock { Array($0.dropFirst(next)) }
            next += new.count
            if let found = new.first(where: { matches($0.event) }) { return found }
            if let line = unreadable.first { throw WaitFailure(description: "not an event: \(line)") }
            return nil
        }
    }

    /// Ends the client.
    public func stop() async throws {
        child.signal(SIGTERM)
        do {
            try await child.ended(within: .seconds(5))
        } catch {
            child.signal(SIGKILL, group: true)
            throw error
        }
    }
}
