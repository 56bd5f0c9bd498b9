import Foundation
import Journal
import Testing
import UsageTestKit

@Suite("A real journald")
struct JournaldTests {
    /// Whether a journald may be run apart from the host's.
    private static let isPossible =
        geteuid() == 0 && Program.isInstalled("unshare")
        && ["/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd-journald"].contains {
            FileManager.default.isExecutableFile(atPath: $0)
        }

    /// The entries that the probe leaves in a journal of its own.
    private func entries(_ mode: String, environment: [String: String] = [:]) async throws -> [[String: Any]]
    {
        let script = Probe.root.appendingPathComponent("scripts/with-journald").path
        let run = try await Probe.run(
            ["unshare", "--mount", "sh", script, Probe.path, mode], environment: environment)
        try #require(run.status == 0, "\(run.errors)")
        return try run.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test(
        "an alert is found in the journal with every field",
        .enabled(if: isPossible, "needs root and journald"))
    func alert() async throws {
        let entries = try await entries("log")
        #expect(entries.count == 3)
        let alert = try #require(
            entries.first { $0["MESSAGE_ID"] as? String == RecordKind.alertFiring.messageID })
        #expect(alert["MESSAGE"] as? String == "web\\x1b[31m\\n<0>forged grew too much")
        #expect(alert["PRIORITY"] as? String == "4")
        #expect(alert["SYSLOG_IDENTIFIER"] as? String == "usaged")
        #expect(alert["_TRANSPORT"] as? String == "journal")
        #expect(alert["USAGED_RULE"] as? String == "growth")
        #expect(alert["USAGED_CONTAINER"] as? String == "web\n<0>forged")
        #expect(alert["USAGED_VALUE_BYTES"] as? String == "9223372036854775807")
        #expect((alert["CODE_FILE"] as? String)?.hasSuffix("main.swift") == true)
        #expect((alert["CODE_LINE"] as? String).flatMap { Int($0) } != nil)
        let resolved = entries.first { $0["MESSAGE_ID"] as? String == RecordKind.alertResolved.messageID }
        #expect(resolved?["PRIORITY"] as? String == "5")
        // Larger than a datagram of the usual size.
        let large = entries.first { $0["MESSAGE"] as? String == "plain" }?["USAGED_LARGE"] as? String
        #expect(large?.utf8.count == 65536)
    }

    @Test(
        "a flood leaves so many records, a summary and the alert",
        .enabled(if: isPossible, "needs root and journald"))
    func flood() async throws {
        let ids = try await entries("flood").compactMap { $0["MESSAGE_ID"] as? String }
        #expect(ids.filter { $0 == RecordKind.containerAdded.messageID }.count == RecordLimiter().limit)
        #expect(ids.filter { $0 == RecordKind.recordsSuppressed.messageID }.count == 1)
        #expect(ids.filter { $0 == RecordKind.alertFiring.messageID }.count == 1)
    }

    @Test(
        "lines on standard error keep their priority in the journal",
        .enabled(if: isPossible, "needs root and journald"))
    func standardError() async throws {
        let entries = try await entries("log", environment: ["USAGED_LOG": "stderr"])
        #expect(entries.count == 3)
        #expect(entries.allSatisfy { $0["_TRANSPORT"] as? String == "stdout" })
        let alert = entries.first { ($0["MESSAGE"] as? String)?.contains("grew too much") == true }
        #expect(alert?["PRIORITY"] as? String == "4")
        #expect((alert?["MESSAGE"] as? String)?.hasPrefix("usaged: web\\x1b[31m\\n<0>forged") == true)
    }

    @Test("away from systemd the lines have priorities and stay single")
    func awayFromSystemd() async throws {
        let run = try await Probe.run([Probe.path, "log"])
        #expect(run.status == 0)
        let lines = run.errors.split(separator: "\n")
        #expect(lines.map { $0.prefix(11) } == ["<4>usaged: ", "<5>usaged: ", "<6>usaged: "])
    }
}
