internal import Accounting
internal import Kernel
internal import Synchronization

/// Measures layers by walks on a few threads of its own.
final class ScannerPool: Sendable {
    struct Job: Sendable {
        var key: LayerKey
        var directory: String
        /// How the figure is to be called.
        var confidence: Confidence
    }

    private struct State {
        var queue: [Job] = []
        var cancelled: Set<LayerKey> = []
        var running: [LayerKey: Int] = [:]
        var isStopped = false
        var counters = TrackingCounters()
    }

    private let state = Mutex(State())
    private let wakeUps: [WakeUp]
    private let sink: any TrackingSink

    init(threads: Int, sink: any TrackingSink) throws(KernelError) {
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

    func add(_ job: Job) {
        state.withLock {
            $0.cancelled.remove(job.key)
            if !$0.queue.contains(where: { $0.key == job.key }) { $0.queue.append(job) }
        }
        for wakeUp in wakeUps { wakeUp.signal() }
    }

    func cancel(_ key: LayerKey) {
        state.withLock {
            $0.queue.removeAll { $0.key == key }
            if $0.running[key] != nil { $0.cancelled.insert(key) }
        }
    }

    var counters: TrackingCounters { state.withLock { $0.counters } }

    func stop() {
        state.withLock { $0.isStopped = true }
        for wakeUp in wakeUps { wakeUp.signal() }
    }

    private func work(_ wakeUp: WakeUp) {
        while true {
            wakeUp.clear()
            while let job = next() { run(job) }
            if state.withLock({ $0.isStopped }) { return }
            _ = Poll.wait(for: [wakeUp.descriptor], timeoutMilliseconds: -1)
        }
    }

    private func next() -> Job? {
        state.withLock {
            guard !$0.isStopped, !$0.queue.isEmpty else { return nil }
            let job = $0.queue.removeFirst()
            $0.running[job.key, default: 0] += 1
            return job
        }
    }

    private func run(_ job: Job) {
        var report = LayerReport(
            key: job.key, outcome: .failed(reason: ""), watches: 0, paths: [], root: nil,
            directory: job.directory)
        var counters = TrackingCounters()
        do {
            let result = try LayerScanner.measure(path: job.directory) { [self] in
                state.withLock { $0.isStopped || $0.cancelled.contains(job.key) }
            }
            counters.directoriesRead = result.directoriesRead
            counters.looks = result.looks
            report.outcome = .measured(result.measure, job.confidence)
            report.root = result.root
        } catch {
            report.outcome = .failed(reason: "\(error)")
        }
        let isWanted = state.withLock {
            $0.counters += counters
            if $0.running[job.key] == 1 { $0.running[job.key] = nil } else { $0.running[job.key]? -= 1 }
            return $0.cancelled.remove(job.key) == nil && !$0.isStopped
        }
        if isWanted { sink.take(report) }
    }
}
