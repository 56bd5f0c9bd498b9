import Accounting
import Settings
import Testing

@Suite("Loading the configuration")
struct SettingsLoadTests {
    private func load(_ files: String...) throws(SettingsError) -> Settings {
        try Settings.load(
            files: files.enumerated().map { ("\($0.offset + 1).yaml", Array($0.element.utf8)) })
    }

    @Test(
        "nothing set means the defaults",
        arguments: ["", "# only a comment\n", "---\n", "alerts:\nsocket:\n"])
    func nothing(text: String) throws {
        #expect(try load(text) == Settings())
        #expect(try Settings.load(files: []) == Settings())
    }

    @Test("every setting is taken")
    func everything() throws {
        let settings = try load(
            """
            stores:
              - docker=/srv/docker
              - containers-storage=/var/lib/containers/storage
            socket: {path: /run/other.sock, group: adm}
            state_directory: /srv/usaged
            log_level: debug
            docker:
              daemon_json: /srv/daemon.json
            tracking:
              batch_interval: 50ms
              polling_interval: 1m
              audit_interval: 1d
              orphan_grace: 1h
              watch_budget: 1000
              barrier_deadline: 1.5s
            alerts:
              - name: logs
                kind: growth
                limit: 1.5GB
                window: 5m
                clear: 512 MiB
                for: 30s
                severity: critical
                match:
                  engine: docker
                  name: "web-*"
                  image: nginx:?
                  labels:
                    com.example/tier: front
              - {name: small, kind: size, limit: 1048576}
            """)
        var expected = Settings()
        expected.stores = [
            Settings.Store(kind: .docker, path: "/srv/docker"),
            Settings.Store(kind: .containersStorage, path: "/var/lib/containers/storage"),
        ]
        expected.socketPath = "/run/other.sock"
        expected.socketGroup = "adm"
        expected.stateDirectory = "/srv/usaged"
        expected.logLevel = .debug
        expected.dockerDaemonJSON = "/srv/daemon.json"
        expected.tracking.batchInterval = .milliseconds(50)
        expected.tracking.pollingInterval = .seconds(60)
        expected.tracking.auditInterval = .seconds(86_400)
        expected.tracking.orphanGrace = .seconds(3600)
        expected.tracking.watchBudget = 1000
        expected.tracking.barrierDeadline = .milliseconds(1500)
        expected.alerts = [
            AlertRule(
                name: "logs", kind: .growth(windowSeconds: 300), limitBytes: 1_500_000_000,
                clearBytes: 512 << 20, forSeconds: 30, severity: .critical,
                match: AlertMatch(
                    engine: Glob("docker"), name: Glob("web-*"), image: Glob("nginx:?"),
                    labels: ["com.example/tier": Glob("front")])),
            AlertRule(name: "small", kind: .size, limitBytes: 1_048_576),
        ]
        #expect(settings == expected)
    }

    @Test("a later file wins value by value, the list of stores as a whole, rules by name")
    func dropIns() throws {
        let settings = try load(
            """
            log_level: debug
            stores: [docker=/a, docker=/b]
            tracking: {polling_interval: 10s, audit_interval: 1h, watch_budget: 500}
            alerts:
              - {name: one, kind: size, limit: 1GB, severity: critical}
              - {name: two, kind: size, limit: 2GB}
              - {name: three, kind: size, limit: 3GB}
            """,
            """
            stores: [docker=/c]
            tracking: {polling_interval: 20s, watch_budget: auto}
            alerts:
              - {name: two, enabled: false}
              - {name: never-there, enabled: no}
              - {name: off, kind: size, limit: 1, enabled: false}
              - {name: one, kind: size, limit: 5GB}
              - {name: four, kind: size, limit: 4GB, enabled: yes}
            """)
        #expect(settings.logLevel == .debug)
        #expect(settings.stores.map(\.description) == ["docker=/c"])
        #expect(settings.tracking.pollingInterval == .seconds(20))
        #expect(settings.tracking.auditInterval == .seconds(3600))
        #expect(settings.tracking.watchBudget == nil)
        #expect(settings.alerts.map(\.name) == ["one", "three", "four"])
        #expect(settings.alerts.first?.limitBytes == 5_000_000_000)
        #expect(settings.alerts.first?.severity == .warning)
    }

    @Test("a rule dropped in one file can come back in a later one")
    func droppedAndBack() throws {
        let rule = "alerts: [{name: one, kind: size, limit: 1GB}]"
        #expect(try load(rule, "alerts: [{name: one, enabled: false}]", rule).alerts.count == 1)
    }
}
