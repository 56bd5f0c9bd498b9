import Dispatch
import Logging
import Synchronization
import Testing
import UsageTestKit

@testable import Journal

@Suite("The log's way out")
struct LogOutputTests {
    /// Collects records; can be held shut, as a journal that takes nothing.
    private final class Sink: Sendable {
        let records = Mutex<[LogRecord]>([])
        private let gate = DispatchSemaphore(value: 0)
        private let isShut: Bool

        init(shut: Bool = false) { isShut = shut }

        var write: @Sendable (LogRecord) -> Void {
            { record in
                if self.isShut {
                    self.gate.wait()
                    self.gate.signal()
                }
                self.records.withLock { $0.append(record) }
            }
        }

        func open() { gate.signal() }
        var messages: [String] { records.withLock { $0.map(\.message) } }
        var kinds: [RecordKind?] { records.withLock { $0.map(\.kind) } }
    }

    private func logger(_ output: LogOutput, level: Logger.Level = .info) -> Logger {
        Logger(label: "test") { output.handler(label: $0, level: level) }
    }

    @Test("records come out in order, with the metadata of logger and call, the call's first")
    func order() {
        let sink = Sink()
        let output = LogOutput(.journal, limiter: RecordLimiter(), now: { 0 }, write: sink.write)
        var logger = logger(output)
        logger[metadataKey: "store"] = "docker"
        logger[metadataKey: "path"] = "/a"
        for number in 0..<100 { logger.info("\(number)", metadata: ["path": "/b"]) }
        logger.debug("below the level")
        #expect(output.flush(seconds: 10))
        #expect(sink.messages == (0..<100).map { "\($0)" })
        let fields = sink.records.withLock { $0.first?.fields }
        #expect(fields == [.init(key: "path", value: "/b"), .init(key: "store", value: "docker")])
    }

    @Test("a sink that takes nothing holds up no caller; what is lost is counted, alerts have room")
    func slowSink() {
        let sink = Sink(shut: true)
        let output = LogOutput(
            .journal, limiter: RecordLimiter(limit: 100_000), now: { 0 }, write: sink.write)
        let logger = logger(output)
        for number in 0..<5000 { logger.info("\(number)") }
        logger.record(.alertFiring, .critical, "alert")
        #expect(!output.flush(seconds: 0.01))
        sink.open()
        #expect(output.flush(seconds: 20))
        let room = LogOutput.mostWaiting / 4 * 3
        #expect(sink.messages.filter { Int($0) != nil }.count == room)
        #expect(
            sink.messages.contains("\(5000 - room) records were lost because the log was written too slowly"))
        #expect(sink.kinds.contains(.alertFiring))
    }

    @Test("large records are bounded by their bytes")
    func largeRecords() {
        let sink = Sink(shut: true)
        let output = LogOutput(
            .journal, limiter: RecordLimiter(limit: 100_000), now: { 0 }, write: sink.write)
        let text = String(repeating: "x", count: 60_000)
        for _ in 0..<200 { logger(output).info("m", metadata: ["v": "\(text)"]) }
        sink.open()
        #expect(output.flush(seconds: 20))
        let written = sink.messages.filter { $0 == "m" }.count
        #expect(written > 10 && written * 60_000 <= LogOutput.mostWaitingBytes)
        #expect(sink.kinds.contains(.recordsLost))
    }

    @Test("a flood of one kind ends in one record that says how many were held back")
    func flood() {
        let sink = Sink()
        let time = Mutex<Int64>(0)
        let output = LogOutput(
            .journal, limiter: RecordLimiter(limit: 10, interval: 1_000_000), now: { time.withLock { $0 } },
            write: sink.write)
        let logger = logger(output)
        for number in 0..<50 { logger.record(.containerAdded, .info, "\(number)") }
        for number in 0..<50 { logger.record(.alertFiring, .warning, "alert \(number)") }
        time.withLock { $0 = 2_000_000 }
        #expect(output.flush(seconds: 10))
        #expect(sink.kinds.filter { $0 == .containerAdded }.count == 10)
        #expect(sink.kinds.filter { $0 == .alertFiring }.count == 50)
        let summaries = sink.records.withLock { $0.filter { $0.kind == .recordsSuppressed } }
        #expect(summaries.count == 1)
        #expect(
            summaries.first?.fields == [
                .init(key: "kind", value: "container-added"), .init(key: "count", value: "40"),
            ])
    }

    @Test("how many were held back is told without a further record or a flush")
    func summaryByItself() async throws {
        let sink = Sink()
        let output = LogOutput(
            .journal, limiter: RecordLimiter(limit: 1, interval: 20_000_000),
            now: { Int64(DispatchTime.now().uptimeNanoseconds) }, write: sink.write)
        for _ in 0..<3 { logger(output).record(.polling, .warning, "p") }
        try await wait(until: "the record of those held back", deadline: .seconds(20)) {
            sink.kinds.contains(.recordsSuppressed)
        }
    }
}
