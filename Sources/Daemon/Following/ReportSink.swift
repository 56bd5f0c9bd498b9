internal import Accounting
internal import Journal
internal import Logging
internal import Tracking

/// Takes what tracking finds out into the books and into the cache.
struct ReportSink: TrackingSink {
    let books: UsageBooks
    let cache: MeasureCache
    let counters: DaemonCounters
    let logger: Logger

    func take(_ report: LayerReport) {
        books.record(report)
        if let distrust = report.distrust {
            logger.record(
                .polling, .warning, "\(report.directory): \(distrust)",
                metadata: ["path": "\(report.directory)", "reason": "\(distrust)"])
        }
        guard report.root != nil else { return }
        counters.countMeasured()
        cache.note(report)
    }
}
