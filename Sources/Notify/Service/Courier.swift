internal import Journal
internal import Kernel
internal import Logging
internal import Synchronization
internal import Wire

/// Delivers what one receiver's book holds, on a thread of its own: no receiver waits for another.
final class Courier: Sendable {
    /// What is known of the receiver, for people.
    enum Standing: Hashable, Sendable {
        case well
        case failing(reason: String)
    }

    private struct State {
        var standing = Standing.well
        var stateFailure: NotifyError?
        var isStopping = false
        var hasEnded = false
    }

    /// How long between two records of what was dropped.
    private static let dropInterval = Duration.seconds(60)
    /// How often the file is tried again that could not be written.
    private static let catchUpInterval = Duration.seconds(10)

    let name: String
    private let store: ReceiverStore
    private let interval: Duration?
    private let logger: Logger
    private let now: @Sendable () -> Int64
    private let changed: @Sendable () -> Void
    private let wakeUp: WakeUp
    private let state = Mutex(State())

    /// Makes one that tells again of an alert that goes on firing after the interval.
    ///
    /// `now` is in seconds since the epoch. `changed` is called when there is something new to say of the receiver.
    init(
        name: String, store: ReceiverStore, interval: Duration?, logger: Logger,
        now: @escaping @Sendable () -> Int64, changed: @escaping @Sendable () -> Void
    ) throws(KernelError) {
        self.name = name
        self.store = store
        self.interval = interval
        self.logger = logger
        self.now = now
        self.changed = changed
        wakeUp = try WakeUp()
    }

    var standing: Standing { state.withLock { $0.standing } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
    var waiting: Int { store.waiting }

    /// Starts to deliver.
    func start(_ makeSender: @escaping @Sendable () -> any Sender) {
        NamedThread.start("notify-\(name)") {
            self.run(makeSender())
            self.state.withLock { $0.hasEnded = true }
        }
    }

    /// Something new may be to deliver.
    func wake() { wakeUp.signal() }

    /// Gives up what is under way; it stays in the book.
    func stop() {
        state.withLock { $0.isStopping = true }
        wakeUp.signal()
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    private func run(_ sender: any Sender) {
        var backoff = Backoff()
        var notBefore = ContinuousClock.now
        var tellDropsAt = ContinuousClock.now
        var dropped = 0
        var refusals = false
        while !isStopping {
            dropped += store.takeDropped()
            if dropped > 0, ContinuousClock.now >= tellDropsAt {
                tell(dropped: dropped)
                dropped = 0
                tellDropsAt = .now + Self.dropInterval
            }
            store.catchUp()
            tellState()
            guard ContinuousClock.now >= notBefore, let batch = nextBatch(single: refusals, sender) else {
                wait(until: ContinuousClock.now < notBefore ? notBefore : nextRepeat())
                continue
            }
            switch sender.deliver(
                batch.notices, isRepeat: batch.isRepeat,
                isStopped: { [weak self] in self?.isStopping ?? true })
            {
            case .delivered:
                record(batch)
                if store.waiting == 0 { changed() }
                refusals = false
                backoff.reset()
                recover()
            case .refused where batch.notices.count > 1:
                // One of them may be the cause.
                refusals = true
            case .refused(let reason):
                refuse(batch, reason)
                backoff.reset()
                recover()
            case .failed(let reason, let asked):
                guard !isStopping else { break }
                notBefore = .now + backoff.next(asked: asked, random: .random(in: 0...1))
                fail(reason)
            }
        }
        if dropped > 0 { tell(dropped: dropped) }
    }

    private struct Batch {
        var numbers: [Int64]
        var notices: [Notice]
        /// The alerts fire still and were told before.
        var isRepeat: Bool
    }

    private func nextBatch(single: Bool, _ sender: any Sender) -> Batch? {
        let limit = single ? 1 : sender.batchLimit
        let queued = store.nextBatch(limit: limit)
        if !queued.isEmpty {
            return Batch(numbers: queued.map(\.number), notices: queued.map(\.notice), isRepeat: false)
        }
        guard let interval else { return nil }
        let due = store.firing(deliveredBefore: now() - interval.components.seconds + 1)
        guard let first = due.first else { return nil }
        let together = due.lazy.filter { $0.alert.rule == first.alert.rule }.prefix(limit)
        return Batch(numbers: [], notices: Array(together), isRepeat: true)
    }

    private func record(_ batch: Batch) {
        store.record(
            batch.isRepeat
                ? .repeated(keys: batch.notices.map(\.key), at: now())
                : .delivered(numbers: batch.numbers, at: now()))
    }

    private func refuse(_ batch: Batch, _ reason: String) {
        // What is told again is not given up: it waits for its next turn.
        store.record(
            batch.isRepeat
                ? .repeated(keys: batch.notices.map(\.key), at: now()) : .dropped(numbers: batch.numbers))
        logger.record(
            .noticesDropped, .warning,
            "receiver \(name) refuses an alert, which is not sent to it: \(reason)",
            metadata: ["receiver": "\(name)", "count": "1", "reason": "the receiver refuses it: \(reason)"])
    }

    private func tell(dropped: Int) {
        let waiting = store.waiting
        logger.record(
            .noticesDropped, .warning,
            """
            \(dropped) notices for receiver \(name) were dropped, for its queue is full; \(waiting) wait, the latest \
            of each alert among them
            """,
            metadata: [
                "receiver": "\(name)", "count": "\(dropped)",
                "reason": "the queue is full; \(waiting) wait, the latest of each alert among them",
            ])
    }

    private func fail(_ reason: String) {
        let isNew = state.withLock { state in
            defer { state.standing = .failing(reason: reason) }
            return state.standing == .well
        }
        changed()
        guard isNew else {
            logger.debug("receiver \(name) fails still: \(reason)")
            return
        }
        logger.record(
            .deliveryFailing, .warning, "cannot deliver alerts to receiver \(name): \(reason)",
            metadata: ["receiver": "\(name)", "reason": "\(reason)"])
    }

    private func recover() {
        let wasFailing = state.withLock { state in
            defer { state.standing = .well }
            return state.standing != .well
        }
        guard wasFailing else { return }
        changed()
        logger.record(
            .deliveryRecovered, .notice, "receiver \(name) takes alerts again",
            metadata: ["receiver": "\(name)", "waiting": "\(store.waiting)"])
    }

    /// Says once that the queue cannot be saved, and once that it is again.
    private func tellState() {
        let failure = store.failure
        let before = state.withLock { state in
            defer { state.stateFailure = failure }
            return state.stateFailure
        }
        switch (before, failure) {
        case (nil, let failure?):
            logger.record(
                .stateFailure, .error, "receiver \(name): \(failure)", metadata: ["reason": "\(failure)"])
        case (_?, nil): logger.notice("the queue of receiver \(name) is saved again")
        default: break
        }
    }

    private func nextRepeat() -> ContinuousClock.Instant? {
        guard let interval, let oldest = store.oldestDelivery else { return nil }
        // A clock that was set back must not lengthen the wait.
        let left = min(interval.components.seconds, max(0, oldest + interval.components.seconds - now()))
        return .now + .seconds(left)
    }

    private func wait(until time: ContinuousClock.Instant?) {
        let longest = ContinuousClock.now + (store.failure == nil ? .seconds(60) : Self.catchUpInterval)
        let left = max(0, (min(time ?? longest, longest) - .now).milliseconds + 1)
        _ = Poll.wait(for: [wakeUp.descriptor], timeoutMilliseconds: Int32(left))
        wakeUp.clear()
    }
}
