import Testing
import UsageTestKit
import Wire

extension EngineTests {
    @Suite("alerts", .serialized)
    struct Alerts {
        @Test("growth past a limit fires in feed, list and check, and resolves when the bytes are gone")
        func growth() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithBase()
            let query = try await world.daemon(configuration: TestConfigurations.alerts).query
            let id = try await engine.runIdle(name: "grower", image: EngineWorld.base)
            _ = try await engine.runIdle(name: "other", image: EngineWorld.base)
            try await wait(until: "both containers") {
                let status = try await query.exactStatus()
                return status.container(named: "grower") != nil && status.container(named: "other") != nil
            }
            let calm = try await query.client(["check"])
            #expect(calm.status == 0, "\(calm.out)")
            let feed = try await FeedRecorder.start(query)

            // The other one grows more, but no rule matches it.
            for name in ["other", "grower"] {
                try await engine.docker(
                    "exec", name, "sh", "-c", "mkdir /var/spill; head -c 20000000 /dev/zero > /var/spill/file"
                )
            }
            let fired = try await feed.first("the growth alert in the feed") {
                $0.type == .alert && $0.alert?.rule == "fast-growth" && $0.alert?.state == .firing
            }
            let alert = try #require(fired.event.alert)
            #expect(alert.severity == .critical)
            #expect(alert.container == "grower")
            #expect(alert.containerID == id)
            #expect(alert.image == EngineWorld.base)
            #expect(alert.limitBytes == 4_000_000)
            #expect(alert.valueBytes > alert.limitBytes)
            #expect(alert.windowSeconds == 60)
            #expect(alert.message.contains("grower"))
            _ = try await feed.first("the size alert in the feed") {
                $0.type == .alert && $0.alert?.rule == "large-layer" && $0.alert?.state == .firing
            }

            let list = try await query.client(AlertList.self, "alerts")
            let firing = list.alerts.filter { $0.state == .firing }
            #expect(Set(firing.map(\.rule)) == ["fast-growth", "large-layer"])
            #expect(firing.allSatisfy { $0.container == "grower" })
            #expect(firing.contains { $0.top.contains { $0.path.contains("spill") } })
            #expect(try await query.status().alerts.contains { $0.rule == "fast-growth" })
            let critical = try await query.client(["check"])
            #expect(critical.status == 2, "\(critical.out)")
            #expect(critical.out.contains("grower"))
            #expect(critical.out.split(separator: "\n").count == 1)

            try await engine.docker("exec", "grower", "rm", "-r", "/var/spill")
            _ = try await feed.first("the growth alert to resolve", deadline: .seconds(30)) {
                $0.type == .alert && $0.alert?.rule == "fast-growth" && $0.alert?.state == .resolved
            }
            _ = try await feed.first("the size alert to resolve", deadline: .seconds(30)) {
                $0.type == .alert && $0.alert?.rule == "large-layer" && $0.alert?.state == .resolved
            }
            let again = try await query.client(["check"])
            #expect(again.status == 0, "\(again.out)")
            let resolved = try await query.client(AlertList.self, "alerts")
            #expect(resolved.alerts.contains { $0.rule == "fast-growth" && $0.state == .resolved })
            try await feed.stop()
            try await engine.docker("rm", "--force", "grower", "other")
        }

        @Test("an alert that fires is not told a second time after a restart")
        func restart() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithBase()
            let daemon = try await world.daemon(configuration: TestConfigurations.alerts)
            let query = daemon.query
            _ = try await engine.runIdle(name: "grower", image: EngineWorld.base)
            try await engine.docker("exec", "grower", "sh", "-c", "head -c 20000000 /dev/zero > /var/spill")
            let before = try await wait(for: "the size alert") {
                try await query.status().alerts.first { $0.rule == "large-layer" && $0.state == .firing }
            }
            #expect(try await daemon.terminate() == 0)
            try await daemon.start()
            let feed = try await FeedRecorder.start(query)
            let after = try await wait(for: "the size alert, kept") {
                try await query.exactStatus().alerts.first { $0.rule == "large-layer" }
            }
            #expect(after.state == .firing)
            #expect(after.since == before.since)
            try await engine.docker("exec", "grower", "rm", "/var/spill")
            _ = try await feed.first("the size alert to resolve", deadline: .seconds(30)) {
                $0.type == .alert && $0.alert?.rule == "large-layer" && $0.alert?.state == .resolved
            }
            let told = feed.arrivals.compactMap(\.event.alert).filter { $0.rule == "large-layer" }
            #expect(told.map(\.state) == [.resolved])
            try await feed.stop()
            try await engine.docker("rm", "--force", "grower")
        }
    }
}
