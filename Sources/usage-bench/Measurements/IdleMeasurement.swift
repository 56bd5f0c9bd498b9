import UsageTestKit

/// What the daemon takes while nothing changes.
struct IdleMeasurement {
    let daemon: BenchDaemon

    /// The share of one processor in percent, and how often a thread woke up in a second.
    func run(seconds: Int) async throws -> (percent: Double, wakeUps: Double) {
        let process = try daemon.processID
        let before = (
            time: try ProcessUsage.processorNanoseconds(of: process),
            waits: try ProcessUsage.waits(of: process)
        )
        try await Task.sleep(for: .seconds(seconds))
        let time = try ProcessUsage.processorNanoseconds(of: process) - before.time
        // One that ended meanwhile is left out.
        let waits = try ProcessUsage.waits(of: process).map { $0.value - (before.waits[$0.key] ?? 0) }.reduce(
            0, +)
        return (Double(time) / 1e9 / Double(seconds) * 100, Double(waits) / Double(seconds))
    }
}
