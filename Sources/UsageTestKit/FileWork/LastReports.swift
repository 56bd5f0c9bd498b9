package import Accounting
internal import Synchronization
package import Tracking

/// Keeps the last report of each layer.
package final class LastReports: TrackingSink {
    private let reports = Mutex<[LayerKey: LayerReport]>([:])

    private let distrusts = Mutex<[LayerKey: String]>([:])

    package init() {}

    package func take(_ report: LayerReport) {
        reports.withLock { $0[report.key] = report }
        if let distrust = report.distrust { distrusts.withLock { $0[report.key] = distrust } }
    }

    /// What was said once.
    package func distrust(_ key: LayerKey) -> String? { distrusts.withLock { $0[key] } }

    package func measure(_ key: LayerKey) -> Measure? {
        guard case .measured(let measure, _) = outcome(key) else { return nil }
        return measure.total
    }

    package func report(_ key: LayerKey) -> LayerReport? {
        reports.withLock { $0[key] }
    }

    package func outcome(_ key: LayerKey) -> LayerReport.Outcome? {
        report(key)?.outcome
    }
}
