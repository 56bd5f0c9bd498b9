import Synchronization
public import Wire

/// Takes what changes and keeps it for the readers of `/v1/feed`.
///
/// A reader that falls further behind than the ring holds gets a new snapshot and the count of what it lost. It
/// holds up neither another reader nor ``publish(_:)``.
public final class FeedHub: Sendable {
    /// About how much memory the ring may take, whatever lengths containers give to their names.
    private static let memoryLimit = 16 << 20

    private struct Subscriber {
        var isArmed: Bool
        let wake: @Sendable () -> Void
    }

    private struct State {
        var ring: EventRing
        var subscribers: [Int: Subscriber] = [:]
        var nextSubscriber = 0
        var readers = 0
    }

    private let state: Mutex<State>

    /// Starts with an empty ring.
    ///
    /// - Parameters:
    ///   - firstID: What ids rise from: the daemon's start in nanoseconds or milliseconds, so that an id of an
    ///     earlier run is never taken for one of this.
    ///   - capacity: How many events are kept for readers that are slow or come back.
    public init(firstID: Int64, capacity: Int = 4096) {
        state = Mutex(
            State(ring: EventRing(firstID: firstID, capacity: capacity, costLimit: Self.memoryLimit)))
    }

    /// Gives the event the next id and wakes the readers; never waits for one, and encodes nothing.
    ///
    /// `snapshot` and `heartbeat` are made for each reader by the server and ignored here.
    public func publish(_ event: FeedEvent) {
        guard event.type != .snapshot, event.type != .heartbeat else { return }
        let wakes = state.withLock { state in
            var event = event
            event.id = state.ring.nextID
            state.ring.append(FeedEntry(event))
            var wakes: [@Sendable () -> Void] = []
            for (id, subscriber) in state.subscribers where subscriber.isArmed {
                state.subscribers[id]?.isArmed = false
                wakes.append(subscriber.wake)
            }
            return wakes
        }
        for wake in wakes { wake() }
    }

    /// The id of the newest event, or the first id before there is one.
    public var lastID: Int64 {
        state.withLock { $0.ring.lastID }
    }

    /// How many readers are connected to the feed, over all sockets.
    public var readerCount: Int {
        state.withLock { $0.readers }
    }

    // MARK: - For the servers

    /// Registers a server; `wake` is called once after each ``arm(_:)``, at the next event, from any thread.
    func subscribe(wake: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            state.nextSubscriber += 1
            state.subscribers[state.nextSubscriber] = Subscriber(isArmed: false, wake: wake)
            return state.nextSubscriber
        }
    }

    func unsubscribe(_ id: Int) {
        state.withLock { state in _ = state.subscribers.removeValue(forKey: id) }
    }

    /// Must come before reading, so that an event after the reading wakes.
    func arm(_ id: Int) {
        state.withLock { $0.subscribers[id]?.isArmed = true }
    }

    func read(after id: Int64, limit: Int) -> EventRing.Reading {
        state.withLock { $0.ring.read(after: id, limit: limit) }
    }

    func readersChanged(by change: Int) {
        state.withLock { $0.readers += change }
    }
}
