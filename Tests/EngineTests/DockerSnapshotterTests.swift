import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit
import Wire

/// A Docker store with the images in containerd: the containerd is real, with the namespace, the snapshots and the
/// leases that Docker makes in it, and what the engine itself keeps is written as it writes it.
@Suite(
    "Docker's images in a real containerd (needs root and containerd)", .serialized,
    .enabled(if: ContainerdHost.canRun, "needs root, containerd and ctr"))
struct DockerSnapshotterTests {
    private static let namespace = "moby"
    private static let base = ["bin/sh": 70_001, "etc/hosts": 120, "var/lib/data": 300_000]
    private static let upper = ["srv/index.html": 1234, "etc/hosts": 500]

    /// Whose containerd it is.
    enum Owner: CaseIterable {
        case engine, host
    }

    private final class Host {
        let scratch: ScratchDirectory
        let containerd: ContainerdEngine
        var docker: DockerStoreBuilder
        var root: String { docker.root }

        /// The data root, and the containerd's root if that does not lie in it.
        let roots: [String]

        init(_ owner: Owner) async throws {
            scratch = try ScratchDirectory("docker29")
            docker = try DockerStoreBuilder(root: scratch("docker"), seed: 29, snapshotter: "overlayfs")
            let root = owner == .engine ? docker.root + "/containerd/daemon" : scratch("containerd")
            containerd = try await ContainerdEngine.start(root: root)
            roots = [docker.root] + (owner == .engine ? [] : [root])
            try scratch.write("root = \"\(root)\"\n", to: "etc/config.toml")
        }

        /// A daemon for which the host's containerd is configured to be the one of the test, if any is.
        func startDaemon() async throws -> UsagedProcess {
            guard let containerd = roots.dropFirst().first else {
                return try await UsagedProcess.start(stores: ["docker=\(root)"])
            }
            let mount = "mount --bind \(scratch("etc")) /etc/containerd && exec \"$@\""
            return try await UsagedProcess.start(
                stores: ["containerd=\(containerd)", "docker=\(root)"],
                launcher: ["unshare", "--mount", "--propagation", "slave", "sh", "-c", mount, "sh"])
        }

        @discardableResult
        func ctr(_ arguments: String...) async throws -> String {
            try await containerd.ctr(arguments, namespace: DockerSnapshotterTests.namespace)
        }

        /// Loads an archive, whose index nothing refers to afterwards.
        func importImages(_ archive: String) async throws {
            try await ctr("images", "import", archive)
            try await containerd.collectGarbage()
        }

        func stop() async throws {
            try await containerd.stop()
            try await scratch.remove()
        }

        func facts() async throws -> StoreFacts {
            let location = StoreLocation(kind: .docker, path: root)
            let options = StoreOptions(
                containerd: ContainerdDetection(configuration: scratch("etc/config.toml"), places: []))
            return try await onThread { Stores.open(location, options: options).read().facts }
        }

        /// Makes a container's layers in the engine's order, and then what the engine keeps of it.
        func addContainer(
            _ name: String, on image: ImageFact, isRunning: Bool = false
        ) async throws -> ContainerFact {
            let id = docker.newID()
            let top = try #require(image.layers.last)
            try await ctr("leases", "create", "--id", id)
            try await ctr("snapshots", "prepare", "\(id)-init-key", "sha256:\(top)")
            try await ctr("snapshots", "commit", "\(id)-init", "\(id)-init-key")
            try await ctr("snapshots", "prepare", id, "\(id)-init")
            try await containerd.add(
                snapshot: id, to: id, namespace: DockerSnapshotterTests.namespace)
            let container = ContainerFact(
                id: id, name: name, imageID: image.id, imageName: image.names.first, layer: id,
                initLayer: "\(id)-init", chain: image.layers,
                logPath: "\(root)/containers/\(id)/\(id)-json.log", created: "2026-02-20T12:00:00.25Z",
                isRunning: isRunning, trees: ["log:\(id)"], metadata: ["containers/\(id)"])
            try docker.makeDirectory(of: container)
            return container
        }

        /// Mounts a container's layer where the engine does.
        func mount(_ container: ContainerFact) async throws -> String {
            let target = "\(root)/rootfs/overlayfs/\(container.id)"
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            let command = try await ctr("snapshots", "mounts", target, container.id)
            try await Command.output(["sh", "-c", command])
            return target
        }
    }

    private func withHost(_ owner: Owner, _ body: (Host) async throws -> Void) async throws {
        let host = try await Host(owner)
        do {
            let archive = try await host.containerd.archive([
                ("docker.io/team/web:2", [Self.base, Self.upper]), ("docker.io/library/base:1", [Self.base]),
            ])
            try await host.importImages(archive)
            try await body(host)
        } catch {
            try? await host.stop()
            throw error
        }
        try await host.stop()
    }

    @Test(
        "images, containers and build cache are found, and everything together is what du says of the roots",
        arguments: Owner.allCases)
    func facts(owner: Owner) async throws {
        try await withHost(owner) { host in
            let before = try await host.facts()
            #expect(before.store.driver == "overlayfs")
            #expect(Set(before.images.map(\.names)) == [["base:1"], ["team/web:2"]])
            let web = try #require(before.images.first { $0.names == ["team/web:2"] })
            let top = try #require(web.layers.last)
            #expect(web.layers.count == 2 && web.history.compactMap(\.layer) == web.layers)
            let container = try await host.addContainer("web-1", on: web)
            try await host.ctr("leases", "create", "--id", "record", "containerd.io/gc.flat=now")
            try await host.ctr("snapshots", "prepare", "step", "sha256:\(top)")
            try await host.containerd.add(snapshot: "step", to: "record", namespace: Self.namespace)

            let facts = try await host.facts()
            #expect(facts.problems.isEmpty, "\(facts.problems)")
            let flaws = try await onThread { StoreConformance.flaws(of: facts) }
            #expect(flaws.isEmpty, "\(flaws)")
            #expect(facts.containers == [container])
            let kinds = Dictionary(uniqueKeysWithValues: facts.layers.map { ($0.id, $0.kind) })
            #expect(kinds[container.id] == .container && kinds["\(container.id)-init"] == .initial)
            #expect(kinds["step"] == .buildCache && kinds[top] == .image)
            #expect(facts.layers.filter { $0.kind == .buildCache }.count == 1)
            let balance = try await StorageBalance(facts)
            #expect(balance.sum == balance.total)
        }
    }

    @Test(
        "the daemon follows a container where the engine mounts it, and foretells each removal to the block",
        arguments: Owner.allCases)
    func daemon(owner: Owner) async throws {
        try await withHost(owner) { host in
            let before = try await host.facts()
            let web = try #require(before.images.first { $0.names == ["team/web:2"] })
            let base = try #require(before.images.first { $0.names == ["base:1"] })
            let container = try await host.addContainer("web-1", on: web, isRunning: true)
            _ = try await host.addContainer("base-1", on: base)
            let merged = try await host.mount(container)
            let daemon = try await host.startDaemon()
            do {
                try Data(repeating: 0x61, count: 2_000_000).write(
                    to: URL(fileURLWithPath: merged + "/written"))
                try Data(repeating: 0x61, count: 50_000).write(
                    to: URL(fileURLWithPath: try #require(container.logPath)))
                try await DiskUsage.sync(host.root)
                if owner == .host {
                    #expect(daemon.log.contains("is in the containerd that has the images of"))
                }
                let status = try await daemon.query.exactStatus()
                let source = try #require(status.sources.first)
                #expect(status.sources.count == 1)
                #expect(source.engine == "docker" && source.driver == "overlayfs" && source.root == host.root)
                let told = try #require(status.container(named: "web-1"))
                let layer = try #require(
                    try await host.facts().layers.first { $0.id == container.id })
                #expect(told.diskBytes == (try await DiskUsage.du(layer.directory)))
                #expect(told.sizeBytes == 2_000_000)
                #expect(status.image(named: "team/web:2") != nil)
                try await Command.output(["umount", merged])

                let held = try await daemon.query.client(Reclaim.self, "reclaim", "team/web:2")
                #expect(held.diskBytes == 0)
                #expect(held.stays.contains { $0.reason.contains("web-1") })
                try await reclaim(["web-1"], host, daemon) {
                    try await host.ctr("leases", "delete", container.id)
                    try await host.ctr("snapshots", "rm", container.id)
                    try await host.ctr("snapshots", "rm", "\(container.id)-init")
                    try FileManager.default.removeItem(atPath: "\(host.root)/containers/\(container.id)")
                }
                try await reclaim(["team/web:2"], host, daemon) {
                    try await host.ctr("images", "rm", "--sync", "docker.io/team/web:2")
                }
                // One that the cache has as well leaves its layer there.
                let archive = try await host.containerd.archive([("docker.io/more/own:1", [["own": 40_000]])])
                try await host.importImages(archive)
                let own = try #require(
                    try await host.facts().images.first { $0.names == ["more/own:1"] }?.layers.first)
                try await host.ctr("leases", "create", "--id", "record", "containerd.io/gc.flat=now")
                try await host.containerd.add(
                    snapshot: "sha256:\(own)", to: "record", namespace: Self.namespace)
                try await reclaim(["more/own:1"], host, daemon) {
                    try await host.ctr("images", "rm", "--sync", "docker.io/more/own:1")
                }
                #expect(try await host.facts().layers.first { $0.id == own }?.kind == .buildCache)
                let after = try await daemon.query.exactStatus()
                #expect(after.images.flatMap(\.names) == ["base:1"])
                #expect(after.containers.map(\.name) == ["base-1"])
            } catch {
                try? await daemon.remove()
                throw error
            }
            try await daemon.remove()
        }
    }

    /// Has objects removed, and compares what `du` then has less with what was foretold.
    private func reclaim(
        _ names: [String], _ host: Host, _ daemon: UsagedProcess, _ remove: () async throws -> Void
    ) async throws {
        func used() async throws -> Int64 {
            try await DiskUsage.sync(host.root)
            // The databases never shrink, and grow into their holes; a mount point is no container's.
            let text = try await Command.output(
                ["du", "-sx", "--block-size=1", "--exclude=*.db", "--exclude=rootfs"] + host.roots)
            return text.split(separator: "\n").compactMap { Int64($0.prefix { $0 != "\t" }) }.reduce(0, +)
        }
        let plan = try await wait(for: "an exact plan for \(names)") {
            let plan = try await daemon.query.client(Reclaim.self, arguments: ["reclaim"] + names)
            return plan.exact ? plan : nil
        }
        #expect(plan.diskBytes > 0)
        let before = try await used()
        try await remove()
        try await host.containerd.collectGarbage()
        let freed = try await before - used()
        #expect(freed == plan.diskBytes, "\(names)")
    }
}
