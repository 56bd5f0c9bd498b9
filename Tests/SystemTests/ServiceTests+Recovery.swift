import Foundation
import Testing
import UsageClient
import UsageTestKit
import Wire

extension ServiceTests {
    @Test("after a crash loop doctor says how to recover, and its commands do")
    func crashLoop() async throws {
        let world = try await world()
        let system = world.system
        let figures = try await world.accounted()
        // Not waited for: it ends when the service manager has given up.
        try await system.output(
            """
            mkdir -p /run/systemd/system/usaged.service.d
            printf '[Service]\\nRestartSec=50ms\\nExecStart=\\nExecStart=/bin/sh -c "kill -KILL $$"\\n' \
                | sed 's/\\$\\$/$$$$/' > /run/systemd/system/usaged.service.d/test.conf
            systemctl daemon-reload
            systemctl restart --no-block usaged.service
            """)
        try await wait(until: "the service manager to give up") {
            try await system.property("ActiveState") == "failed"
        }
        // A client's call no longer starts it, and the socket goes with it.
        #expect(try await system.run("usage-client --timeout 5 status").status == 3)
        try await wait(until: "the socket to fail") {
            try await system.property("ActiveState", of: "usaged.socket") == "failed"
        }
        let doctor = try await system.run("usage-client doctor --json")
        #expect(doctor.status == 3)
        let report = try WireCoding.decode(DoctorReport.self, from: Data(doctor.out.utf8))
        let finding = try #require(report.findings.last { $0.id == "unit" })
        #expect(finding.commands.first?.hasPrefix("journalctl ") == true)

        // The cause is mended, and then the commands are run as they stand, by root.
        let recovery = finding.commands.dropFirst().map { $0.replacing("sudo ", with: "") }
        try await system.output(
            """
            rm /run/systemd/system/usaged.service.d/test.conf
            systemctl daemon-reload
            \(recovery.joined(separator: "\n"))
            """)
        #expect(try await world.accounted() == figures)
        #expect(try await system.run("usage-client doctor").out.contains("problem: unit") == false)
    }

    @Test("doctor tells of a wrong configuration that keeps the daemon from its start")
    func wrongConfigurationFound() async throws {
        let world = try await world()
        let system = world.system
        try await system.output(
            """
            echo 'no_such: 1' > /etc/usaged/conf.d/60-wrong.yaml
            systemctl restart usaged.service || true
            """)
        let doctor = try await system.run("usage-client --timeout 5 doctor")
        #expect(doctor.status == 3)
        #expect(doctor.out.contains("usaged.service has failed: its configuration"), "\(doctor.out)")
        #expect(doctor.out.contains("    usaged --check-config\n"))
    }
}
