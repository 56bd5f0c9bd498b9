internal import Accounting
internal import Kernel

// Telling what was found.
extension ShardWorker {
    func report(_ entry: TrackedLayer, _ paths: [PathGrowth]) {
        let tracker = entry.tracker
        let now = monotonicNanoseconds()
        let outcome: LayerReport.Outcome
        switch tracker.failure {
        case nil:
            outcome = .measured(tracker.measure, confidence(of: entry))
            if entry.wasPolled { pool.cancelPoll(entry.key) }
            entry.wasPolled = false
            entry.polledNames = 0
        case .unreadable(let error):
            outcome = .failed(reason: "\(entry.directory): \(error.advice)")
            entry.nextRetry = now + 1_000_000_000
        case .untrackable(let reason):
            // The walk reports it, and the next try to watch is a poll later.
            entry.nextRetry = now + Int64(options.pollSeconds) * 1_000_000_000
            entry.wasPolled = true
            entry.lastReported = nil
            pool.poll(
                ScannerPool.PollJob(
                    key: entry.key, directory: entry.directory, entries: entry.place.entries,
                    confidence: .polling(reason: reason, seconds: options.pollSeconds),
                    deliver: { [returnPoll, index = entry.index] in returnPoll(index, $0) }))
            return
        }
        guard outcome != entry.lastReported || tracker.watchCount != entry.lastWatches else { return }
        entry.lastReported = outcome
        entry.lastWatches = tracker.watchCount
        sink.take(
            LayerReport(
                key: entry.key, outcome: outcome, watches: tracker.watchCount, paths: paths, root: nil,
                directory: entry.directory, isFinal: true, correction: tracker.correction))
    }

    func confidence(of entry: TrackedLayer) -> Confidence {
        if let deafness = entry.deafness {
            return .polling(reason: deafness, seconds: options.pollSeconds)
        }
        return entry.isAnswered ? .exact : .converging
    }

    /// A walk may end after the layer was forgotten, or after watches had returned and told the exact figure.
    func take(_ report: LayerReport, ofPoll index: Int) {
        guard let entry = tracked[index], entry.wasPolled else { return }
        if case .measured = report.outcome {
            entry.polledDirectories = report.directories
            entry.polledNames = report.names
            count(entry)
        }
        sink.take(report)
    }

    func publishCounters() {
        var counters = counters
        counters.directoriesRead = sum.directoriesRead
        counters.looks = sum.looks
        counters.fullLooks = sum.fullLooks
        counters.audits = sum.audits
        counters.corrections = sum.corrections
        counters.watches = Int64(owners.count)
        counters.queueLength = instance.queueLength
        publish(counters)
    }

    /// Brings the sums over all layers to what this one has by now.
    func count(_ entry: TrackedLayer) {
        let before = entry.counted
        let now = TrackedLayer.Counted(
            counters: entry.tracker.counters, watchesNeeded: entry.watchesNeeded,
            restAfterRescan: entry.tracker.hasLostEvents ? entry.tracker.restAfterFullLook(share: 20) : 0)
        entry.counted = now
        sum.add(now.counters, since: before.counters)
        counters.watchesNeeded += Int64(now.watchesNeeded - before.watchesNeeded)
        restAfterRescans += now.restAfterRescan - before.restAfterRescan
    }

    /// What a layer did stays in the sums; what it holds does not.
    func forgetCount(of entry: TrackedLayer) {
        count(entry)
        counters.watchesNeeded -= Int64(entry.counted.watchesNeeded)
        restAfterRescans -= entry.counted.restAfterRescan
    }
}
