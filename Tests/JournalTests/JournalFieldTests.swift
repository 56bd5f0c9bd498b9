import Foundation
import Logging
import Testing
import UsageTestKit

@testable import Journal

@Suite("Journal fields")
struct JournalFieldTests {
    private func record(
        _ message: String, level: Logger.Level = .info, error: (any Error)? = nil,
        _ metadata: Logger.Metadata = [:]
    ) -> LogRecord {
        LogRecord(
            LogEvent(
                level: level, message: "\(message)", error: error, metadata: nil, source: nil,
                file: "Daemon/Daemon.swift", function: "run()", line: 7), label: "daemon", metadata: metadata)
    }

    @Test(
        "a metadata key becomes a field name that the journal takes",
        arguments: [
            ("rule", "USAGED_RULE"), ("container_id", "USAGED_CONTAINER_ID"),
            ("USAGED_RULE", "USAGED_RULE"), ("usaged_rule", "USAGED_RULE"), ("Usaged-Rule", "USAGED_RULE"),
            ("layer.count", "USAGED_LAYER_COUNT"), ("_PID", "USAGED__PID"), ("1st", "USAGED_1ST"),
            ("é\n=ß", "USAGED_____"), ("", "USAGED_"), ("MESSAGE", "USAGED_MESSAGE"),
            (String(repeating: "k", count: 100), "USAGED_" + String(repeating: "K", count: 57)),
        ])
    func names(key: String, name: String) {
        #expect(JournalField.name(of: key) == name)
    }

    @Test("no key makes an invalid field name")
    func randomNames() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...90, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let key = String(decoding: bytes, as: UTF8.self)
            let name = JournalField.name(of: key)
            #expect(name.hasPrefix("USAGED_") && name.utf8.count <= 64, "seed \(seed)")
            #expect(name.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 })
        }
    }

    @Test("levels are syslog priorities")
    func priorities() {
        let priorities = Logger.Level.allCases.map { record("", level: $0).priority }
        #expect(priorities == [7, 7, 6, 5, 4, 3, 2])
    }

    @Test("a record has its place in the code, its message id, and its values as they are")
    func fields() {
        let record = record(
            "line one\nline two\u{1B}[2J", level: .warning, error: StubError(),
            [
                "message_id": "\(RecordKind.alertFiring.messageID)", "container": "a\nb",
                "paths": ["x", "y"],
            ])
        let fields = JournalField.fields(of: record)
        #expect(
            fields == [
                .init(name: "MESSAGE", value: "line one\\nline two\\x1b[2J"),
                .init(name: "PRIORITY", value: "4"),
                .init(name: "SYSLOG_IDENTIFIER", value: "usaged"),
                .init(name: "CODE_FILE", value: "Daemon/Daemon.swift"),
                .init(name: "CODE_LINE", value: "7"),
                .init(name: "CODE_FUNC", value: "run()"),
                .init(name: "USAGED_LOGGER", value: "daemon"),
                .init(name: "MESSAGE_ID", value: RecordKind.alertFiring.messageID),
                .init(name: "USAGED_CONTAINER", value: "a\nb"),
                .init(name: "USAGED_ERROR", value: "it broke"),
                .init(name: "USAGED_PATHS", value: "[\"x\", \"y\"]"),
            ])
        #expect(record.kind == .alertFiring)
    }

    @Test("a message id that is none stays an ordinary field")
    func wrongMessageID() {
        let record = record("", ["message_id": "not hexadecimal"])
        #expect(record.messageID == nil)
        #expect(JournalField.fields(of: record).last?.name == "USAGED_MESSAGE_ID")
    }

    @Test("fields beyond 64 are dropped and counted, the message id never")
    func tooManyFields() {
        var metadata: Logger.Metadata = ["message_id": "\(RecordKind.polling.messageID)"]
        for number in 0..<100 { metadata["a\(number)"] = "x" }
        let fields = JournalField.fields(of: record("", metadata))
        #expect(fields.count == 64)
        let dropped = fields.first { $0.name == "USAGED_FIELDS_DROPPED" }
        #expect(dropped?.value == "\(100 - (64 - 9))")
        #expect(fields.contains { $0.name == "MESSAGE_ID" })
    }

    @Test("a long value is cut at 64 KiB between characters, all values at 1 MiB")
    func longValues() {
        let long = String(repeating: "é", count: 40_000)
        let one = record(long, ["v": "\(long)"])
        #expect(one.fields[0].value.utf8.count <= 64 << 10)
        #expect(one.fields[0].value.hasSuffix("é..."))
        #expect(one.message.hasSuffix("é..."))
        var many: Logger.Metadata = [:]
        for number in 0..<50 { many["v\(number)"] = "\(long)" }
        let fields = record("", many).fields
        #expect(fields.reduce(0) { $0 + $1.value.utf8.count } <= 1 << 20)
        #expect(record("", many).dropped > 0)
    }
}

private struct StubError: Error, CustomStringConvertible {
    var description: String { "it broke" }
}
