internal import Accounting
internal import Kernel
internal import SystemPackage
internal import Synchronization

/// Measures layers by walks on a few threads of its own.
final class ScannerPool: Sendable {
    /// A walk for a writable layer that cannot be watched.
    struct PollJob: Sendable {
        var key: LayerKey
        var directory: String
        var entries: [NamePattern]
        /// How the figure is to be called.
        var confidence: Confidence
        var deliver: @Sendable (LayerReport) -> Void
    }

    private enum Work: Sendable {
        case layer(SettlingLayers.Walk)
        case poll(PollJob, serial: Int)
    }

    private struct State {
        // A slice, whose first can be taken without moving all others.
        var queue: ArraySlice<LayerKey> = []
        var pollQueue: [PollJob] = []
        /// What was taken last: the two queues take turns, so that neither waits for the whole of the other.
        var wasPoll = false
        var layers = SettlingLayers()
        var barriers: [Int: @Sendable (Set<LayerKey>) -> Void] = [:]
        /// The polling walks that run, by the number of the walk.
        var polls: [LayerKey: Int] = [:]
        var lastPoll = 0
        var isStopped = false
        var counters = TrackingCounters()

        mutating func takeLayer() -> SettlingLayers.Walk? {
            wasPoll = false
            if queue.isEmpty { queue = layers.takeDue(at: monotonicNanoseconds())[...] }
            while let key = queue.popFirst() {
                if let walk = layers.begin(key) { return walk }
            }
            return nil
        }

        /// The barriers to call, outside the lock.
        mutating func take(_ answers: [SettlingLayers.Answer]) -> [() -> Void] {
            answers.compactMap { answer in
                guard let body = barriers.removeValue(forKey: answer.barrier) else { return nil }
                return { body(answer.unsettled) }
            }
        }
    }

    private let state = Mutex(State())
    private let wakeUps: [WakeUp]
    private let sink: any TrackingSink
    private let options: TrackingOptions

    init(threads: Int, options: TrackingOptions, sink: any TrackingSink) throws(KernelError) {
        self.options = options
        self.sink = sink
        var wakeUps: [WakeUp] = []
        for _ in 0..<threads { wakeUps.append(try WakeUp()) }
        self.wakeUps = wakeUps
    }

    func start() {
        for (index, wakeUp) in wakeUps.enumerated() {
            NamedThread.start("scan-\(index)") { [self] in work(wakeUp) }
        }
    }

    // MARK: Immutable layers

    /// Measures an immutable layer, again and again until its figure is final.
    func measure(_ key: LayerKey, directory: String) {
        state.withLock {
            if $0.layers.add(key, directory: directory) { $0.queue.append(key) }
        }
        signal()
    }

    func forget(_ key: LayerKey) {
        let answers = state.withLock {
            $0.queue.removeAll { $0 == key }
            return $0.take($0.layers.forget(key))
        }
        for answer in answers { answer() }
    }

    /// Measures every layer that is not final once more and calls `body` with those that stayed unsettled.
    ///
    /// Returns what ``giveUp(_:)`` takes.
    func barrier(_ body: @escaping @Sendable (Set<LayerKey>) -> Void) -> Int {
        let (barrier, answer) = state.withLock { state in
            let asked = state.layers.ask()
            guard asked.answer == nil, !state.isStopped else {
                return (asked.barrier, asked.answer ?? state.layers.giveUp(asked.barrier))
            }
            state.barriers[asked.barrier] = body
            let urgent = Set(asked.urgent)
            state.queue.removeAll { urgent.contains($0) }
            state.queue.insert(contentsOf: asked.urgent, at: state.queue.startIndex)
            return (asked.barrier, nil)
        }
        if let answer { body(answer.unsettled) } else { signal() }
        return barrier
    }

    /// Answers a barrier with what is known, if it was not answered before.
    func giveUp(_ barrier: Int) {
        let answers = state.withLock { state in
            state.layers.giveUp(barrier).map { state.take([$0]) } ?? []
        }
        for answer in answers { answer() }
    }

    // MARK: Polling

    /// Queues a walk, unless one of the same layer waits or runs.
    func poll(_ poll: PollJob) {
        state.withLock {
            guard $0.polls[poll.key] == nil, !$0.pollQueue.contains(where: { $0.key == poll.key }) else {
                return
            }
            $0.pollQueue.append(poll)
        }
        signal()
    }

    func cancelPoll(_ key: LayerKey) {
        state.withLock {
            $0.pollQueue.removeAll { $0.key == key }
            $0.polls[key] = nil
        }
    }

    var isPollQueued: Bool { state.withLock { !$0.pollQueue.isEmpty } }

    // MARK: Threads

    var counters: TrackingCounters {
        state.withLock {
            var counters = $0.counters
            counters.settlingLayers = Int64($0.layers.count)
            return counters
        }
    }

    func stop() {
        let answers = state.withLock { state in
            state.isStopped = true
            return state.take(state.barriers.keys.compactMap { state.layers.giveUp($0) })
        }
        for answer in answers { answer() }
        signal()
    }

    private func signal() {
        for wakeUp in wakeUps { wakeUp.signal() }
    }

    private func work(_ wakeUp: WakeUp) {
        while true {
            wakeUp.clear()
            while let work = next() {
                switch work {
                case .layer(let walk): run(walk)
                case .poll(let poll, let serial): run(poll, serial)
                }
            }
            let (isStopped, due) = state.withLock { ($0.isStopped, $0.layers.nextDue) }
            if isStopped { return }
            _ = Poll.wait(for: [wakeUp.descriptor], timeoutMilliseconds: Self.timeout(until: due))
        }
    }

    private static func timeout(until due: Int64?) -> Int32 {
        guard let due else { return -1 }
        return Int32(clamping: max(0, (due - monotonicNanoseconds() + 999_999) / 1_000_000))
    }

    private func next() -> Work? {
        state.withLock { state in
            guard !state.isStopped else { return nil }
            if state.wasPoll, let walk = state.takeLayer() { return .layer(walk) }
            if !state.pollQueue.isEmpty {
                let poll = state.pollQueue.removeFirst()
                state.wasPoll = true
                state.lastPoll += 1
                state.polls[poll.key] = state.lastPoll
                return .poll(poll, serial: state.lastPoll)
            }
            return state.takeLayer().map { .layer($0) }
        }
    }

    private func run(_ walk: SettlingLayers.Walk) {
        let started = realtimeNanoseconds()
        let begin = monotonicNanoseconds()
        let (result, outcome) = measure(walk.directory, [], .exact) { [self] in
            state.withLock { !$0.isStopped && $0.layers.isWanted(walk) }
        }
        let ending: SettlingLayers.Outcome
        switch outcome {
        case .failed(let reason):
            let now = monotonicNanoseconds()
            let retry = now + max(options.settling.retryNanoseconds, (now - begin) * 10)
            ending = .failed(reason: reason, retry: retry)
        case .measured:
            ending = options.settling.outcome(
                newestChange: result?.newestChange ?? started, walkStarted: started)
        }
        let (isNews, answers) = state.withLock { state -> (Bool, [() -> Void]) in
            guard !state.isStopped else { return (false, []) }
            let end = state.layers.end(walk, ending)
            if end.isQueuedAgain { state.queue.insert(walk.key, at: state.queue.startIndex) }
            return (end.isNews, state.take(end.answers))
        }
        // The report comes before the answer, for the answer says that the report's figure holds.
        if isNews {
            sink.take(
                LayerReport(
                    key: walk.key, outcome: outcome, watches: 0, paths: [], root: result?.root,
                    directory: walk.directory, isFinal: ending == .final))
        }
        for answer in answers { answer() }
    }

    private func run(_ poll: PollJob, _ serial: Int) {
        let (result, outcome) = measure(poll.directory, poll.entries, poll.confidence) { [self] in
            state.withLock { !$0.isStopped && $0.polls[poll.key] == serial }
        }
        let isWanted = state.withLock {
            guard $0.polls[poll.key] == serial else { return false }
            $0.polls[poll.key] = nil
            return !$0.isStopped
        }
        guard isWanted else { return }
        poll.deliver(
            LayerReport(
                key: poll.key, outcome: outcome, watches: 0, paths: [], root: result?.root,
                directory: poll.directory, isFinal: true,
                directories: Int(clamping: result?.directoriesRead ?? 0),
                names: Int(clamping: result?.looks ?? 0)))
    }

    private func measure(
        _ directory: String, _ entries: [NamePattern], _ confidence: Confidence,
        whileWanted isWanted: () -> Bool
    ) -> (LayerScanner.Result?, LayerReport.Outcome) {
        do {
            let result = try LayerScanner.measure(path: directory, entries: entries) { !isWanted() }
            state.withLock {
                $0.counters.directoriesRead += result.directoriesRead
                $0.counters.looks += result.looks
            }
            return (result, .measured(result.measure, confidence))
        } catch {
            return (nil, .failed(reason: "\(directory): \(error.advice)"))
        }
    }
}
