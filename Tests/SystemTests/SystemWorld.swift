import Accounting
import Foundation
import Testing
import UsageTestKit
import Wire

/// A booted Debian with the package installed, and a Docker store that an engine could have left there.
struct SystemWorld: Sendable {
    static let group = "usaged"

    let scratch: ScratchDirectory
    let system: BootedSystem
    let package: DebianPackage
    /// The writable layer of its one container, on the host.
    let upper: String
    let containerID: String

    /// Boots one and installs the package, which is given where another world has built it.
    static func make(package given: DebianPackage? = nil) async throws -> SystemWorld {
        let scratch = try ScratchDirectory("system")
        do {
            let package: DebianPackage
            if let given {
                package = given
            } else {
                package = try await DebianPackage.build(in: scratch.directory("package"))
            }
            var store = try DockerStoreBuilder(root: scratch("docker"), seed: 23)
            let image = try store.build(
                [
                    BuildStep("ADD rootfs", content: LayerContent(files: [.init("bin/sh", size: 70_001)])),
                    BuildStep(
                        "RUN install", content: LayerContent(files: [.init("usr/bin/web", size: 90_210)])),
                ], names: ["web:1"])
            let container = try store.addContainer(named: "web-1", on: image.last)
            let upper = store.upperDirectory(of: container)
            try Data(repeating: 0x61, count: 300_000).write(to: URL(fileURLWithPath: "\(upper)/data"))

            let root = try await DebianRoot(in: scratch)
            let runtime = try await DebianPackage.runtimeDirectory()
            // With its templates.
            let alertmanager = Program.path(of: "prometheus-alertmanager").map {
                [$0, "/usr/share/prometheus"]
            }
            let directory = URL(fileURLWithPath: package.path).deletingLastPathComponent().path
            let system = try await BootedSystem.boot(
                root, in: scratch, binds: ["/var/lib/docker": store.root, "/srv/package": directory],
                readOnly: (runtime.map { [$0] } ?? []) + (alertmanager ?? []))
            let world = SystemWorld(
                scratch: scratch, system: system, package: package, upper: upper, containerID: container.id)
            do {
                try await world.install(package)
                try await system.output("useradd member && usermod -aG \(group) member && useradd stranger")
                return world
            } catch {
                try? await system.stop()
                throw error
            }
        } catch {
            try? await scratch.remove()
            throw error
        }
    }

    /// Installs a package of the world's directory with `dpkg`.
    func install(_ package: DebianPackage) async throws {
        let name = URL(fileURLWithPath: package.path).lastPathComponent
        try await system.output("dpkg --install /srv/package/\(name)", deadline: .seconds(180))
    }

    func remove() async throws {
        try await system.stop()
        try await scratch.remove()
    }

    /// Runs a test on the daemon as the package starts it, without the drop-ins of the test before.
    func fresh() async throws {
        try await system.output(
            """
            rm -rf /run/systemd/system/usaged.service.d /etc/usaged/conf.d/*
            systemctl daemon-reload
            systemctl reset-failed usaged.service usaged.socket
            systemctl restart usaged.socket usaged.service || { journalctl -n 40 --no-pager; exit 1; }
            """)
    }

    /// Puts settings beside those of the unit, and starts it with them.
    func restart(with settings: String) async throws {
        try await system.output(
            """
            mkdir -p /run/systemd/system/usaged.service.d
            printf '[Service]\\n%s\\n' '\(settings)' > /run/systemd/system/usaged.service.d/test.conf
            systemctl daemon-reload
            systemctl restart usaged.service
            """)
    }

    /// What the daemon must say of the container: blocks and bytes by a walk.
    func walked() async throws -> Figures {
        let walk = try await FullWalk.measure(upper)
        return Figures(disk: walk.diskBytes, size: walk.sizeBytes)
    }

    /// What an exact answer says of the container.
    func accounted() async throws -> Figures {
        let status = try await system.query.exactStatus()
        let container = try #require(status.container(named: "web-1"))
        return Figures(disk: container.diskBytes, size: container.sizeBytes)
    }

    struct Figures: Hashable {
        var disk: Int64
        var size: Int64
    }
}

/// Gives a suite one world, which is made when a test first asks for it.
actor SystemWorlds {
    @TaskLocal static var current = SystemWorlds()

    private var task: Task<SystemWorld, any Error>?

    /// The suite's world, with the daemon fresh.
    func world() async throws -> SystemWorld {
        let task = task ?? Task { try await SystemWorld.make() }
        self.task = task
        let world = try await task.value
        try await world.fresh()
        return world
    }

    func stop() async {
        guard let task, let world = try? await task.value else { return }
        do {
            try await world.remove()
        } catch {
            Issue.record("cleaning up: \(error)")
        }
    }
}

struct SystemTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let worlds = SystemWorlds()
        do {
            try await SystemWorlds.$current.withValue(worlds) { try await function() }
        } catch {
            await worlds.stop()
            throw error
        }
        await worlds.stop()
    }
}

extension Trait where Self == SystemTrait {
    static var system: SystemTrait { SystemTrait() }
}
