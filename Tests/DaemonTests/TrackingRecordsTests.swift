import Accounting
import Foundation
import Journal
import Logging
import Synchronization
import Testing
import Tracking
import UsageTestKit

@testable import Daemon

@Suite("Records of audits")
struct TrackingRecordsTests {
    /// Keeps what is logged.
    private struct Kept: LogHandler {
        struct Record: Sendable {
            var level: Logger.Level
            var metadata: [String: String]
        }

        final class Store: Sendable {
            let records = Mutex<[Record]>([])
        }

        let store: Store
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).mapValues { "\($0)" }
            store.records.withLock { $0.append(Record(level: event.level, metadata: metadata)) }
        }
    }

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
        let store = Kept.Store()
        let logger = Logger(label: "test") { _ in Kept(store: store) }
        let sink = Sink(records: TrackingRecords(logger: logger))
        let service = try TrackingService(options: TrackingOptions(auditSeconds: 1), sink: sink)
        service.start()
        defer { service.stop() }
        let key = LayerKey(
            store: StoreIdentity(engine: "test", driver: "directory", root: scratch.path), id: "w")
        service.track(key, directory: layer)
        try await wait(until: "the first figure") { sink.reports.measure(key)?.sizeBytes == 5_000 }
        try await wait(until: "an audit") { service.counters.audits > 0 }
        #expect(store.records.withLock { $0.isEmpty })
        // By a name that is not the layer's, which has no event; and no block of it may still change.
        try #require(truncate(scratch("outside"), 100_000) == 0)
        let before = try #require(sink.reports.measure(key))
        try await wait(until: "the record") { store.records.withLock { !$0.isEmpty } }
        let record = try #require(store.records.withLock { $0.first })
        let walk = try FullWalk(walking: layer)
        #expect(record.level == .warning)
        #expect(record.metadata["path"] == layer)
        #expect(record.metadata["difference_bytes"] == "\(walk.diskBytes - before.diskBytes)")
        #expect(record.metadata.values.contains(RecordKind.auditCorrection.messageID))
        #expect(sink.reports.measure(key)?.sizeBytes == 100_000)
    }
}
