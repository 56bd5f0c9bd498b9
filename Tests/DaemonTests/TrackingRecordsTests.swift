import Accounting
import Foundation
import Journal
import Logging
import Testing
import Tracking
import UsageTestKit

@testable import Daemon

@Suite("Records of audits")
struct TrackingRecordsTests {
    private struct Sink: TrackingSink {
        let records: TrackingRecords
        let reports = LastReports()

        func take(_ report: LayerReport) {
            reports.take(report)
            records.tell(report)
        }
    }

    @Test("what an audit corrects has a record with the path and the bytes, and nothing else has one")
    func correction() async throws {
        let scratch = try ScratchDirectory("records")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let layer = try scratch.directory("layer")
        try scratch.write(String(repeating: "x", count: 5_000), to: "layer/file")
        try #require(link(layer + "/file", scratch("outside")) == 0)
        let log = LogKeeper()
        let sink = Sink(records: TrackingRecords(logger: log.logger))
        let service = try TrackingService(options: TrackingOptions(auditSeconds: 1), sink: sink)
        service.start()
        defer { service.stop() }
        let key = LayerKey(
            store: StoreIdentity(engine: "test", driver: "directory", root: scratch.path), id: "w")
        service.track(key, directory: layer)
        try await wait(until: "the first figure") { sink.reports.measure(key)?.sizeBytes == 5_000 }
        try await wait(until: "an audit") { service.counters.audits > 0 }
        #expect(log.lines.isEmpty)
        // By a name that is not the layer's, which has no event; and no block of it may still change.
        try #require(truncate(scratch("outside"), 100_000) == 0)
        let before = try #require(sink.reports.measure(key))
        try await wait(until: "the record") { !log.lines.isEmpty }
        let record = try #require(log.lines.first)
        let walk = try FullWalk(walking: layer)
        #expect(record.level == .warning)
        #expect(record.metadata["path"] == layer)
        #expect(record.metadata["difference_bytes"] == "\(walk.diskBytes - before.diskBytes)")
        #expect(record.metadata.values.contains(RecordKind.auditCorrection.messageID))
        #expect(sink.reports.measure(key)?.sizeBytes == 100_000)
    }
}
