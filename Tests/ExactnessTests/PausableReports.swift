import Accounting
import Foundation
import Tracking
import UsageTestKit

/// Keeps the last reports, and can hold up the thread that brings one: a shard that is held reads no events.
final class PausableReports: TrackingSink, @unchecked Sendable {
    private let reports = LastReports()
    private let condition = NSCondition()
    private var isPaused = false
    private var isHolding = false

    func take(_ report: LayerReport) {
        reports.take(report)
        condition.lock()
        isHolding = isPaused
        while isPaused { condition.wait() }
        isHolding = false
        condition.unlock()
    }

    func pause() { set(true) }

    func resume() { set(false) }

    /// Whether a thread is held up now.
    var holds: Bool { condition.withLock { isHolding } }

    func measure(_ key: LayerKey) -> Measure? { reports.measure(key) }

    func outcome(_ key: LayerKey) -> LayerReport.Outcome? { reports.outcome(key) }

    private func set(_ value: Bool) {
        condition.lock()
        isPaused = value
        condition.broadcast()
        condition.unlock()
    }
}
