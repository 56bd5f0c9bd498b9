internal import Accounting
internal import Tracking

/// Takes what tracking finds out into the books and into the cache.
struct ReportSink: TrackingSink {
    let books: UsageBooks
    let cache: MeasureCache
    let counters: DaemonCounters
    let records: TrackingRecords

    func take(_ report: LayerReport) {
        books.record(report)
        records.tell(report)
        guard report.root != nil else { return }
        counters.countMeasured()
        cache.note(report)
    }
}
