import Foundation
import Testing
import UsageTestKit

/// What `dpkg` does to a system that runs; on one of its own, for the package goes.
@Suite(
    "the life of the package on a system that runs",
    .enabled(
        if: BootedSystem.isPossible, "needs root, debootstrap, dpkg-dev, systemd-nspawn and no sanitizer"))
struct PackageLifeTests {
    /// Everything that systemd or the kernel may still have of the package.
    private func left(on system: BootedSystem) async throws -> [String] {
        let text = try await system.output(
            """
            systemctl list-units --all --plain --no-legend 'usaged*'
            systemctl list-unit-files --no-legend 'usaged*'
            find /etc/systemd /run/systemd/system /usr/lib/systemd /lib/systemd -name '*usaged*'
            ls -d /run/usaged 2>/dev/null
            grep -s -l '^usaged$' /proc/[0-9]*/comm
            grep -s usaged /proc/net/unix
            find / -xdev -path /proc -prune -o -path /srv -prune -o \\( -name '*usaged*' -o -name '*usage-client*' \\) -print |
                grep -v -e '^/etc/usaged' -e '^/var/lib/usaged' -e '^/var/lib/dpkg/info/usaged\\.' || true
            """)
        return text.split(separator: "\n").map(String.init)
    }

    /// Waits a little, for systemd forgets a unit that is gone when it has nothing else to do.
    private func expectNothingLeft(on system: BootedSystem) async throws {
        var left: [String] = []
        do {
            try await wait(until: "nothing to be left") {
                left = try await self.left(on: system)
                return left.isEmpty
            }
        } catch {
            throw WaitFailure(description: "\(error): \(left)")
        }
    }

    @Test("upgrade, removal, installation again and purge")
    func life() async throws {
        let world = try await SystemWorld.make()
        do {
            try await live(world)
        } catch {
            try? await world.remove()
            throw error
        }
        try await world.remove()
    }

    private func live(_ world: SystemWorld) async throws {
        let system = world.system
        let figures = try await world.walked()
        try await system.output("usage-client mark kept")

        // An upgrade restarts the daemon, and keeps what it knew.
        let pid = try await system.property("MainPID")
        let newer = try await world.package.copy(version: "0.1.1-1")
        try await world.install(newer)
        #expect(try await system.property("MainPID") != pid)
        for unit in ["usaged.service", "usaged.socket"] {
            #expect(try await system.property("ActiveState", of: unit) == "active")
        }
        #expect(try await world.accounted() == figures)
        #expect(try await system.run("usage-client since kept").status == 0)

        // What the operator disabled stays so, over an upgrade and over a removal.
        try await system.output("systemctl disable --now usaged.service usaged.socket")
        try await world.install(world.package.copy(version: "0.1.2-1"))
        #expect(
            try await system.run("systemctl is-enabled usaged.service usaged.socket").out
                == "disabled\ndisabled\n")
        #expect(try await system.property("ActiveState") == "inactive")
        try await system.output("dpkg --remove usaged")
        try await world.install(newer)
        #expect(try await system.property("UnitFileState") == "disabled")
        #expect(try await system.property("ActiveState") == "inactive")
        try await system.output("systemctl enable --now usaged.service")

        // A removal leaves the configuration and the state, and nothing that runs.
        try await system.output("echo 'log_level: debug' > /etc/usaged/conf.d/50-local.yaml")
        #expect(try await world.accounted() == figures)
        try await system.output("dpkg --remove usaged")
        try await expectNothingLeft(on: system)
        #expect(try await system.output("ls /etc/usaged /etc/usaged/conf.d").contains("50-local.yaml"))
        #expect(try await system.run("test -s /var/lib/usaged/state.db").status == 0)
        #expect(try await system.output("systemctl --failed --no-legend") == "")

        // As on the first day, with the state of before.
        try await world.install(newer)
        #expect(try await system.property("ActiveState") == "active")
        #expect(try await system.property("UnitFileState", of: "usaged.socket") == "enabled")
        #expect(try await system.run("usage-client since kept").status == 0)

        // A purge takes the state too, and leaves what the operator wrote.
        try await system.output("dpkg --purge usaged")
        try await expectNothingLeft(on: system)
        #expect(try await system.output("find /etc/usaged -type f") == "/etc/usaged/conf.d/50-local.yaml")
        #expect(try await system.run("ls -d /var/lib/usaged /var/lib/dpkg/info/usaged.*").out == "")
        #expect(try await system.run("getent passwd usaged").status == 0)

        try await system.output("rm /etc/usaged/conf.d/50-local.yaml")
        try await world.install(newer)
        #expect(try await system.property("ActiveState") == "active")
        #expect(try await system.run("usage-client since kept").status == 1)
        try await system.output("dpkg --purge usaged")
        try await expectNothingLeft(on: system)
        #expect(try await system.run("ls -d /etc/usaged").status != 0)
    }
}
