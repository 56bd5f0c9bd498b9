import Accounting
import Foundation
import Journal
import Testing
import UsageTestKit
import Wire

/// The built daemon in a journald of the test's own.
@Suite("the daemon's records in a real journald")
struct JournalRecordTests {
    private static let rules = """
        alerts:
          - name: fast
            kind: growth
            limit: 1MB
            clear: 500kB
            window: 1h
            severity: critical
            match:
              name: web-1
          - name: large
            kind: size
            limit: 2MB
            clear: 1MB
            match:
              name: web-1

        """

    @Test(
        "alerts are in the journal with the priority and every figure that feed and list told",
        .enabled(if: JournaledUsaged.isPossible, "needs root and journald"))
    func alerts() async throws {
        try await withStore { world in
            let container = try world.container("web-1")
            var told: [Alert] = []
            var socket = ""
            let entries = try await JournaledUsaged.run(
                stores: ["docker=\(world.root)"], configuration: Self.rules
            ) { query in
                socket = query.socket
                _ = try await query.exactStatus()
                let feed = try await FeedRecorder.start(query)
                try world.write(3_000_000, to: "spill", in: container)
                for rule in ["fast", "large"] {
                    _ = try await feed.first("\(rule) to fire") {
                        $0.alert?.rule == rule && $0.alert?.state == .firing
                    }
                }
                let list = try await query.client(AlertList.self, "alerts").alerts
                #expect(Set(list.map(\.rule)) == ["fast", "large"])
                #expect(list.allSatisfy { $0.state == .firing })

                try world.write(0, to: "spill", in: container)
                for rule in ["fast", "large"] {
                    _ = try await feed.first("\(rule) to resolve") {
                        $0.alert?.rule == rule && $0.alert?.state == .resolved
                    }
                }
                told = feed.arrivals.compactMap(\.event.alert)
                for alert in list {
                    let event = try #require(told.first { $0.rule == alert.rule && $0.state == .firing })
                    #expect(alert.since == event.since)
                    #expect(alert.limitBytes == event.limitBytes)
                }
                try await feed.stop()
            }

            #expect(told.count == 4)
            func records(_ kind: RecordKind) -> [[String: String]] {
                entries.filter { $0["MESSAGE_ID"] == kind.messageID }
            }
            #expect(records(.alertFiring).count == 2)
            #expect(records(.alertResolved).count == 2)
            for alert in told {
                let kind = alert.state == .firing ? RecordKind.alertFiring : .alertResolved
                let record = try #require(records(kind).first { $0["USAGED_RULE"] == alert.rule })
                let priority = alert.state == .resolved ? "5" : alert.severity == .critical ? "2" : "4"
                #expect(record["PRIORITY"] == priority)
                #expect(record["SYSLOG_IDENTIFIER"] == "usaged")
                #expect(record["_TRANSPORT"] == "journal")
                #expect(record["MESSAGE"] == alert.message)
                #expect(record["USAGED_CONTAINER"] == "web-1")
                #expect(record["USAGED_CONTAINER_ID"] == container.id)
                #expect(record["USAGED_IMAGE"] == "web:2")
                #expect(record["USAGED_VALUE_BYTES"] == "\(alert.valueBytes)")
                #expect(record["USAGED_LIMIT_BYTES"] == (alert.rule == "fast" ? "1000000" : "2000000"))
                #expect(record["USAGED_LIMIT_BYTES"] == "\(alert.limitBytes)")
            }
            #expect(records(.started).map { $0["USAGED_SOCKET"] } == [socket])
            #expect(records(.stopped).count == 1)
            #expect(records(.storeFound).map { $0["USAGED_ROOT"] } == [world.root])
            #expect(records(.storeFound).first?["USAGED_ENGINE"] == "docker")
            #expect(entries.last { $0["MESSAGE_ID"] != nil }?["MESSAGE_ID"] == RecordKind.stopped.messageID)
        }
    }

    @Test(
        "a damaged object is one record of its own kind that names the file",
        .enabled(if: JournaledUsaged.isPossible, "needs root and journald"))
    func damage() async throws {
        try await withStore { world in
            let path = "\(world.store.metadata)/imagedb/content/sha256/\(try world.image("tool:1").id)"
            try Data("no JSON".utf8).write(to: URL(fileURLWithPath: path))
            let entries = try await JournaledUsaged.run(
                stores: ["docker=\(world.root)"], configuration: ""
            ) { query in
                try await wait(until: "the damage in the status") {
                    let status = try await query.status()
                    return status.sources.first?.state == .damaged && status.progress == nil
                }
                // Written to again and again, a store is no news.
                for round in 1...3 {
                    let container = try world.container("web-1")
                    try world.write(round * 100_000, to: "data", in: container)
                    try await wait(until: "the write in the status") {
                        try await query.status().containerFigures[container.id]?.size
                            == Int64(round * 100_000)
                    }
                }
            }
            let records = entries.filter { $0["MESSAGE_ID"] == RecordKind.objectDamaged.messageID }
            #expect(records.map { $0["USAGED_PATH"] } == [path])
            #expect(records.first?["PRIORITY"] == "4")
        }
    }
}
