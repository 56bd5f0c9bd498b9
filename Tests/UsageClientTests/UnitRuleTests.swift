import Testing

@testable import UsageClient

@Suite("doctor on the units of the host")
struct UnitRuleTests {
    /// As systemd 252 printed it after a crash loop, where usaged-notify.service was not installed.
    private static let shown = """
        Result=service-start-limit-hit
        Id=usaged.socket
        LoadState=loaded
        ActiveState=failed

        Result=signal
        NRestarts=5
        ExecMainStatus=9
        Id=usaged.service
        LoadState=loaded
        ActiveState=failed

        Result=success
        Id=usaged-web.socket
        LoadState=loaded
        ActiveState=inactive

        Result=success
        NRestarts=0
        ExecMainStatus=0
        Id=usaged-notify.service
        LoadState=not-found
        ActiveState=inactive

        """

    @Test("what systemctl shows is read, whatever the order of its lines")
    func parse() {
        #expect(
            UnitState.parse(Self.shown) == [
                UnitState(name: "usaged.socket", active: "failed", result: "service-start-limit-hit"),
                UnitState(
                    name: "usaged.service", active: "failed", result: "signal", exitStatus: 9, restarts: 5),
                UnitState(name: "usaged-web.socket", active: "inactive"),
            ])
        #expect(UnitState.parse("") == [])
        #expect(UnitState.parse("no line\n\nId=x\n") == [])
    }

    @Test("after a crash loop both units are to be reset, and the socket started")
    func crashLoop() {
        let findings = UnitRule.findings(UnitState.parse(Self.shown))
        #expect(findings.map(\.id) == ["unit", "unit"])
        for finding in findings {
            #expect(
                finding.commands.suffix(2) == [
                    "sudo systemctl reset-failed usaged.socket usaged.service",
                    "sudo systemctl start usaged.socket usaged.service",
                ])
        }
    }

    @Test("a wrong configuration is to be checked first")
    func wrongConfiguration() {
        let unit = UnitState(name: "usaged.service", active: "failed", result: "exit-code", exitStatus: 2)
        let findings = UnitRule.findings([unit])
        #expect(findings.map(\.severity) == [.problem])
        #expect(findings.first?.commands.first == "usaged --check-config")
    }

    @Test("units that run, or that nobody started, are no finding; one that was started again is a warning")
    func others() {
        let active = UnitState(name: "usaged.service", active: "active")
        let off = UnitState(name: "usaged-notify.service", active: "inactive")
        #expect(UnitRule.findings([active, off]) == [])
        let again = UnitState(name: "usaged.service", active: "active", restarts: 2)
        let findings = UnitRule.findings([again])
        #expect(findings.map { "\($0.severity) \($0.id)" } == ["warning restarts"])
        #expect(findings.first?.what.contains("2 times") == true)
    }

    @Test("a failed unit is found beside the daemon that does not answer")
    func withoutDaemon() {
        let unit = UnitState(name: "usaged.service", active: "failed", result: "watchdog")
        let report = DoctorReport(.refused("/run/usaged/usaged.sock"), units: [unit])
        #expect(report.findings.map(\.id) == ["daemon", "unit"])
    }
}
