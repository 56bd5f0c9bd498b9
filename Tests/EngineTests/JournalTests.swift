import Journal
import Testing
import UsageTestKit
import Wire

extension EngineTests {
    @Suite("the journal", .serialized)
    struct Journaled {
        @Test(
            "a growth alert of a container is in a real journal with every field, and check follows it",
            .enabled(if: JournaledUsaged.isPossible, "needs root and journald"))
        func growth() async throws {
            let engine = try await EngineWorld.current.engineWithBase()
            let id = try await engine.runIdle(name: "grower", image: EngineWorld.base)
            var told: [Alert] = []
            let entries = try await JournaledUsaged.run(
                stores: ["docker=\(engine.dataRoot)"], configuration: TestConfigurations.alerts
            ) { query in
                _ = try await query.exactStatus()
                #expect(try await query.client(["check"]).status == 0)
                let feed = try await FeedRecorder.start(query)
                try await engine.docker(
                    "exec", "grower", "sh", "-c", "head -c 20000000 /dev/zero > /var/spill")
                _ = try await feed.first("the alert") {
                    $0.alert?.rule == "fast-growth" && $0.alert?.state == .firing
                }
                let listed = try await query.client(AlertList.self, "alerts").alerts
                #expect(listed.contains { $0.rule == "fast-growth" && $0.containerID == id })
                #expect(try await query.client(["check"]).status == 2)
                try await engine.docker("exec", "grower", "rm", "/var/spill")
                for rule in ["fast-growth", "large-layer"] {
                    _ = try await feed.first("\(rule) to resolve", deadline: .seconds(30)) {
                        $0.alert?.rule == rule && $0.alert?.state == .resolved
                    }
                }
                #expect(try await query.client(["check"]).status == 0)
                told = feed.arrivals.compactMap(\.event.alert)
                try await feed.stop()
            }
            try await engine.docker("rm", "--force", "grower")

            for alert in told {
                let kind = alert.state == .firing ? RecordKind.alertFiring : .alertResolved
                let record = try #require(
                    entries.first { $0["MESSAGE_ID"] == kind.messageID && $0["USAGED_RULE"] == alert.rule })
                let firing = alert.severity == .critical ? "2" : "4"
                #expect(record["PRIORITY"] == (alert.state == .resolved ? "5" : firing))
                #expect(record["SYSLOG_IDENTIFIER"] == "usaged")
                #expect(record["MESSAGE"] == alert.message)
                #expect(record["USAGED_CONTAINER"] == "grower")
                #expect(record["USAGED_CONTAINER_ID"] == id)
                #expect(record["USAGED_IMAGE"] == EngineWorld.base)
                #expect(record["USAGED_VALUE_BYTES"] == "\(alert.valueBytes)")
                #expect(record["USAGED_LIMIT_BYTES"] == "\(alert.limitBytes)")
            }
            #expect(told.count == 4, "two rules, each fired and resolved")
        }
    }
}
