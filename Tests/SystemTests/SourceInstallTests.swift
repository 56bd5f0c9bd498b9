import Foundation
import Testing
import UsageTestKit

@Suite(
    "an installation from source on a system that runs",
    .enabled(
        if: BootedSystem.isPossible, "needs root, debootstrap, dpkg-dev, systemd-nspawn and no sanitizer"))
struct SourceInstallTests {
    @Test("the commands of the README start it below another prefix, and make uninstall ends and removes it")
    func life() async throws {
        let scratch = try ScratchDirectory("source")
        do {
            let root = try await DebianRoot(in: scratch)
            let script = "\(BaseRoot.package)/scripts/install.sh"
            try await Command.output(
                [script, "install"],
                environment: [
                    "DESTDIR": root.path, "PREFIX": "/usr/local", "BINARIES": try DebianPackage.binaries(),
                ], deadline: .seconds(120))
            let runtime = try await DebianPackage.runtimeDirectory()
            let system = try await BootedSystem.boot(
                root, in: scratch, readOnly: [BaseRoot.package] + (runtime.map { [$0] } ?? []))
            do {
                try await live(system, script)
            } catch {
                try? await system.stop()
                throw error
            }
            try await system.stop()
        } catch {
            try? await scratch.remove()
            throw error
        }
        try await scratch.remove()
    }

    private func live(_ system: BootedSystem, _ script: String) async throws {
        try await system.output(
            """
            set -e
            systemd-sysusers
            systemctl daemon-reload
            journalctl --update-catalog
            systemctl enable --now usaged.socket usaged.service
            """)
        #expect(try await system.property("ActiveState") == "active")
        #expect(try await system.run("/usr/local/bin/usage-client status").status == 0)
        let catalog = try await system.output("journalctl --list-catalog")
        #expect(catalog.contains("2d687397335448f3bb5b7f41a439bb4d"))

        let said = try await system.output("PREFIX=/usr/local \(script) uninstall")
        #expect(said == "left: /etc/usaged\nleft: /var/lib/usaged")
        let left = try await system.output(
            """
            systemctl list-unit-files --no-legend 'usaged*' || true
            grep -s -l '^usaged$' /proc/[0-9]*/comm || true
            ls -d /run/usaged 2>/dev/null || true
            find /usr /etc /var -path /var/tmp -prune -o \\( -name '*usaged*' -o -name '*usage-client*' \\) -print
            """)
        #expect(
            left.split(separator: "\n").sorted() == [
                "/etc/usaged", "/etc/usaged/usaged.yaml", "/var/lib/usaged",
            ])
        #expect(try await system.output("systemctl --failed --no-legend") == "")
    }
}
