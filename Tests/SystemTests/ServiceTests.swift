import Accounting
import Foundation
import Journal
import Testing
import UsageTestKit
import Wire

/// One after another, since they share a system.
@Suite(
    "the package on a system that systemd booted", .serialized, .system,
    .enabled(
        if: BootedSystem.isPossible, "needs root, debootstrap, dpkg-dev, systemd-nspawn and no sanitizer"))
struct ServiceTests {
    func world() async throws -> SystemWorld { try await SystemWorlds.current.world() }

    private func waitForAnotherDaemon(than pid: String, on system: BootedSystem) async throws {
        try await wait(until: "another daemon", deadline: .seconds(40)) {
            let now = try await system.property("MainPID")
            let state = try await system.property("ActiveState")
            return state == "active" && now != pid && now != "0"
        }
    }

    private func alertRules(_ system: BootedSystem) async throws -> [String] {
        try await system.query.client(AlertList.self, "alerts").rules
    }

    @Test("after the installation socket and service run, and nothing else of it does or failed")
    func installed() async throws {
        let world = try await world()
        let system = world.system
        for unit in ["usaged.service", "usaged.socket"] {
            #expect(try await system.property("ActiveState", of: unit) == "active")
            #expect(try await system.property("UnitFileState", of: unit) == "enabled")
        }
        let files = try await system.output("systemctl list-unit-files --no-legend 'usaged*'")
        for line in files.split(separator: "\n") {
            let words = line.split(separator: " ")
            let isDefault = ["usaged.service", "usaged.socket"].contains(words[0])
            // State, and what the preset says.
            #expect(words[1] == (isDefault ? "enabled" : "disabled") && words[2] == words[1], "\(line)")
        }
        #expect(try await system.output("systemctl --failed --no-legend") == "")
        #expect(try await system.output("stat -c '%a %U %G' /run/usaged/usaged.sock") == "660 root usaged")
        #expect(try await system.output("stat -c '%a %U %G' /run/usaged") == "755 root root")
        #expect(try await system.output("stat -c '%a %U %G' /var/lib/usaged") == "750 usaged usaged")
        #expect(try await world.accounted() == world.walked())
    }

    @Test("a start ends when the stores are found, and a later one knows the figures of the one before")
    func ready() async throws {
        let world = try await world()
        for _ in 0..<4 {
            try await world.system.output("systemctl reset-failed usaged.service; systemctl restart usaged")
            let status = try await world.system.query.status()
            #expect(status.sources.map(\.root) == ["/var/lib/docker"])
            #expect(try await world.accounted() == world.walked())
        }
    }

    @Test("systemctl status tells the figures, also after a reload")
    func status() async throws {
        let world = try await world()
        let size = SizeText.decimal(try await world.walked().disk)
        func tells() async throws {
            try await wait(until: "the figures") {
                try await world.system.property("StatusText").hasPrefix(
                    "1 containers \(size), 2 image layers ")
            }
        }
        try await tells()
        try await world.system.output("systemctl reload usaged")
        try await tells()
        // Where systemd does not wait for the reload, its own text may come between.
        try await wait(until: "systemctl status to tell the figures") {
            let shown = try await world.system.run("systemctl status --no-pager usaged.service")
            return shown.status == 0 && shown.out.contains("Status: \"1 containers \(size)")
        }
    }

    @Test("a reload puts a new rule in force, keeps the process and the figures, and is in the journal")
    func reload() async throws {
        let world = try await world()
        let system = world.system
        let pid = try await system.property("MainPID")
        try await system.output(
            """
            printf 'alerts:\\n  - {name: reload-test, kind: size, limit: 1TB}\\n' > /etc/usaged/conf.d/50-local.yaml
            systemctl reload usaged
            """)
        try await wait(until: "the rule") { try await alertRules(system).contains("reload-test") }
        #expect(try await system.property("MainPID") == pid)
        #expect(try await world.accounted() == world.walked())
        let records = try await system.journal(
            "_PID=\(pid) MESSAGE_ID=\(RecordKind.configurationLoaded.messageID)")
        #expect(records.last?["USAGED_PATH"] == "/etc/usaged/usaged.yaml")
    }

    @Test("a reload of a wrong configuration keeps the old one, and journal and status name file and line")
    func wrongReload() async throws {
        let world = try await world()
        let system = world.system
        let pid = try await system.property("MainPID")
        let rules = try await alertRules(system)
        try await system.output(
            """
            printf '# ours\\nalerts:\\n  - {name: wrong, kind: size, limit: many}\\n' > /etc/usaged/conf.d/60-wrong.yaml
            systemctl reload usaged
            """)
        let place = "/etc/usaged/conf.d/60-wrong.yaml:3:"
        try await wait(until: "the status") {
            let text = try await system.property("StatusText")
            return text.contains(place) && text.contains("; 1 containers ")
        }
        let records = try await system.journal(
            "_PID=\(pid) MESSAGE_ID=\(RecordKind.configurationRejected.messageID)")
        #expect(records.last?["USAGED_REASON"]?.hasPrefix(place) == true)
        #expect(records.last?["PRIORITY"] == "3")
        #expect(try await system.property("MainPID") == pid)
        #expect(try await alertRules(system) == rules)
        #expect(try await world.accounted() == world.walked())
        let check = try await system.run("usaged --check-config")
        #expect(check.status == 2 && check.err.contains(place))

        try await system.output("rm /etc/usaged/conf.d/60-wrong.yaml && systemctl reload usaged")
        try await wait(until: "a status without it") {
            try await system.property("StatusText").hasPrefix("1 containers ")
        }
    }

    @Test("a start with a wrong configuration fails, says where, and is not tried again")
    func wrongStart() async throws {
        let world = try await world()
        let system = world.system
        let result = try await system.run(
            """
            echo 'no_such: 1' > /etc/usaged/conf.d/60-wrong.yaml
            systemctl restart usaged
            """)
        #expect(result.status != 0)
        #expect(try await system.property("ActiveState") == "failed")
        #expect(try await system.property("ExecMainStatus") == "2")
        #expect(try await system.property("NRestarts") == "0")
        let records = try await system.journal("-u usaged.service -n 20")
        #expect(
            records.contains {
                $0["MESSAGE"]?.contains("/etc/usaged/conf.d/60-wrong.yaml:1:1: no_such") == true
            })
    }

    @Test("a stopped service leaves its socket, and a client's call starts it")
    func activation() async throws {
        let world = try await world()
        let system = world.system
        try await system.output("systemctl stop usaged.service")
        #expect(try await system.property("ActiveState") == "inactive")
        #expect(try await system.property("Result") == "success")
        #expect(try await system.property("ActiveState", of: "usaged.socket") == "active")
        #expect(try await system.output("stat -c '%a %U %G' /run/usaged/usaged.sock") == "660 root usaged")
        #expect(try await system.output("usage-client containers", as: "member").contains("web-1"))
        #expect(try await system.property("ActiveState") == "active")
        #expect(try await world.accounted() == world.walked())
    }

    @Test("a daemon that hangs is ended by the watchdog and comes back with the same figures")
    func watchdog() async throws {
        let world = try await world()
        let system = world.system
        try await world.restart(with: "WatchdogSec=2s\nRestartSec=100ms")
        let figures = try await world.accounted()
        let pid = try await system.property("MainPID")
        try await system.output("systemctl kill --signal=STOP usaged.service")
        try await waitForAnotherDaemon(than: pid, on: system)
        #expect(try await system.property("NRestarts") == "1")
        // What systemd logs of it, see systemd.journal-fields(7).
        let records = try await system.journal("UNIT=usaged.service UNIT_RESULT=watchdog")
        #expect(!records.isEmpty)
        #expect(try await world.accounted() == figures)
        #expect(try await world.walked() == figures)
    }

    @Test("a killed daemon comes back with the same figures and its marks, and counts what came meanwhile")
    func killed() async throws {
        let world = try await world()
        let system = world.system
        try await world.restart(with: "RestartSec=1s")
        try await system.output("usage-client mark before-kill")
        let figures = try await world.accounted()
        let pid = try await system.property("MainPID")
        try await system.output("systemctl kill --signal=KILL usaged.service")
        let file = URL(fileURLWithPath: "\(world.upper)/meanwhile")
        try Data(repeating: 0x62, count: 100_000).write(to: file)
        try await waitForAnotherDaemon(than: pid, on: system)
        #expect(try await system.property("NRestarts") == "1")
        let grown = try await world.accounted()
        #expect(grown == (try await world.walked()))
        #expect(grown.size == figures.size + 100_000)
        try FileManager.default.removeItem(at: file)
        #expect(try await world.accounted() == figures)
        #expect(try await system.run("usage-client since before-kill").status == 0)
    }

    @Test("systemd calls the unit's exposure 0.7 or lower")
    func exposure() async throws {
        let world = try await world()
        let result = try await world.system.run(
            "systemd-analyze security --no-pager --threshold=7 usaged.service")
        #expect(result.status == 0, "\(result.out.suffix(200))\(result.err)")
        #expect(result.out.contains("Overall exposure level for usaged.service: 0."))
    }

    @Test(
        "members of the group may ask and not set marks; root and the daemon's user may; others may not connect"
    )
    func access() async throws {
        let world = try await world()
        let system = world.system
        #expect(try await system.run("usage-client status", as: "member").status == 0)
        let refused = try await system.run("usage-client mark mine", as: "member")
        #expect(refused.status == 4 && refused.err.contains("uid 0"))
        #expect(try await system.run("usage-client mark roots").status == 0)
        #expect(try await system.run("usage-client mark own", as: "usaged").status == 0)
        for command in ["status", "mark others", "feed"] {
            let result = try await system.run("usage-client \(command)", as: "stranger")
            #expect(result.status == 4, "\(command): \(result.out)\(result.err)")
            #expect(result.err.contains("its group is \(SystemWorld.group)"), "\(result.err)")
        }
        #expect(try await system.run("usage-client since mine").status == 1)
    }
}
