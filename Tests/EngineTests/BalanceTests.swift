import Foundation
import Testing
import UsageTestKit
import Wire

extension EngineTests {
    /// Three engines on a file system of their own, so that `df` tells of nothing else.
    @Suite("the books of a file system", .serialized)
    struct Balance {
        /// What the test made.
        struct Host {
            let disk: LoopFileSystem
            /// What the empty file system takes for itself.
            let own: Int64
            let docker: DockerEngine
            let podman: PodmanEngine
            let containerd: ContainerdEngine
            let daemon: UsagedProcess

            static func make() async throws -> Host {
                let disk = try await LoopFileSystem.make(.ext4)
                let own = try used(disk.path)
                let docker = try await DockerEngine.start(dataRoot: disk.path + "/docker")
                let podman = try await PodmanEngine.make(driver: "overlay", root: disk.path + "/podman")
                let containerd = try await ContainerdEngine.start(root: disk.path + "/containerd")
                let daemon = try await UsagedProcess.start(
                    stores: [
                        "docker=\(docker.dataRoot)", "containers-storage=\(podman.root)",
                        "containerd=\(containerd.root)",
                    ], configuration: "tracking: {orphan_grace: 1s}")
                return Host(
                    disk: disk, own: own, docker: docker, podman: podman, containerd: containerd,
                    daemon: daemon)
            }

            func remove() async throws {
                try await daemon.remove()
                try await containerd.stop()
                try await podman.stop()
                try await docker.stop()
                try await disk.remove()
            }

            /// Has objects removed, and compares what `du` then has less with what was foretold, to the block.
            func reclaim(
                _ names: [String], of root: String, but excluded: [String],
                _ remove: () async throws -> Void
            ) async throws {
                func used() async throws -> Int64 {
                    try disk.sync()
                    let text = try await Command.output(
                        ["du", "-sx", "--block-size=1"] + excluded.map { "--exclude=\($0)" } + [root])
                    return try #require(Int64(text.prefix { $0 != "\t" }))
                }
                _ = try await daemon.query.exactStatus()
                let plan = try await wait(for: "an exact plan for \(names)") {
                    let plan = try await daemon.query.client(Reclaim.self, arguments: ["reclaim"] + names)
                    return plan.exact ? plan : nil
                }
                let before = try await used()
                try await remove()
                let freed = before - (try await used())
                #expect(plan.diskBytes == freed, "\(names): \(plan)")
            }

            /// What `df` calls used.
            static func used(_ path: String) throws -> Int64 {
                var status = statvfs()
                guard statvfs(path, &status) == 0 else { throw WaitFailure(description: "statvfs \(path)") }
                return Int64((status.f_blocks - status.f_bfree) * status.f_frsize)
            }

            /// Waits until all but what the file system needs is in a class, within a hundredth.
            @discardableResult
            func balance(_ step: String) async throws -> FileSystem {
                var last = ""
                do {
                    return try await wait(for: "the balance \(step)", deadline: .seconds(120)) {
                        try disk.sync()
                        let status = try await daemon.query.statusWithOpenFiles()
                        let system = try #require(status.filesystems.first { $0.mount == disk.path })
                        last = "\(system), exact \(status.exact), \(status.reasons)"
                        let isClose = abs(system.otherBytes - own) <= system.usedBytes / 100
                        return status.exact && isClose ? system : nil
                    }
                } catch {
                    throw WaitFailure(description: "\(error); own \(own), last: \(last)")
                }
            }
        }

        @Test(
            "every byte that df calls used is in one class, on a disk of three engines, before and after churn"
        )
        func threeEngines() async throws {
            let host = try await Host.make()
            do {
                try await check(host)
            } catch {
                try? await host.remove()
                throw error
            }
            try await host.remove()
        }

        private func check(_ host: Host) async throws {
            let docker = host.docker
            let tar = try await SmallRoot.tar(in: docker.directory)
            try await docker.docker("import", tar, "small:1")
            _ = try await docker.build(
                tag: "large:1",
                dockerfile:
                    "FROM small:1\nRUN dd if=/dev/urandom of=/large bs=1000000 count=7\nCMD [\"sh\"]\n")
            try await docker.docker(
                "run", "--detach", "--name", "writer", "--volume", "data:/data", "large:1", "sh", "-c",
                """
                dd if=/dev/urandom of=/written bs=1000000 count=9; dd if=/dev/urandom of=/data/file bs=1000000 count=5
                exec 3>/gone; dd if=/dev/urandom bs=1000000 count=4 >&3; rm /gone; seq 1 200000
                until test -e /end; do sleep 0.1; done
                """)
            let orphan = docker.dataRoot + "/overlay2/" + String(repeating: "0af1", count: 16)
            try FileManager.default.createDirectory(
                atPath: orphan + "/diff", withIntermediateDirectories: true)
            try Data(count: 3_000_000).write(to: URL(fileURLWithPath: orphan + "/diff/left"))

            try await host.podman.build("pod:1", size: 2_000_000)
            try await host.podman.start(
                "podded", options: ["--volume", "kept:/kept"],
                script: "head -c 3000000 /dev/zero >/w; head -c 2000000 /dev/zero >/kept/v; sleep 1000")
            let archive = try await host.containerd.archive([
                (name: "example.test/one:1", layers: [["a": 1_000_000], ["b": 2_000_000]])
            ])
            try await host.containerd.ctr("images", "import", archive)
            try await wait(until: "the writer to have written", deadline: .seconds(60)) {
                try await docker.docker("logs", "--tail", "1", "writer").contains("200000")
            }

            // What is new counts as left behind after a while, and is too little for the balance to wait for it.
            try await wait(until: "the orphan", deadline: .seconds(60)) {
                try await host.daemon.query.status().filesystems.contains {
                    $0.attributed.orphans >= 3_000_000
                }
            }
            let before = try await host.balance("before churn")
            let classes = before.attributed
            #expect(classes.imageLayers >= 7_000_000 + 2_000_000 + 3_000_000)
            #expect(classes.containerLayers >= 9_000_000 + 3_000_000)
            #expect(classes.volumes >= 5_000_000 + 2_000_000)
            #expect(classes.containerLogs >= 1_000_000)
            #expect(classes.orphans >= 3_000_000)
            #expect(classes.content > 0)
            #expect(classes.overhead > 0)
            #expect(try #require(classes.deletedOpen) >= 4_000_000)
            let text = try await host.daemon.query.client(["df"]).out
            #expect(text.contains("orphans") && text.contains("deleted, still open"))

            try await docker.docker(
                "exec", "writer", "dd", "if=/dev/urandom", "of=/more", "bs=1000000", "count=6")
            try await docker.docker("exec", "writer", "rm", "/written", "/data/file")
            try await host.podman.podman("rm", "--force", "--time", "0", "podded")
            try await host.podman.build("second:1", size: 4_000_000)
            try await host.reclaim(["example.test/one:1"], of: host.containerd.root, but: ["*.db"]) {
                try await host.containerd.ctr("images", "rm", "--sync", "example.test/one:1")
            }
            try FileManager.default.removeItem(atPath: orphan)
            try await docker.docker(
                "run", "--name", "short", "small:1", "sh", "-c", "dd if=/dev/zero of=/x bs=100000 count=9")
            let after = try await host.balance("after churn")
            #expect(after.attributed.orphans == 0)
            #expect(after.attributed.volumes < classes.volumes)

            // The image is held until its container goes.
            let held = try await host.daemon.query.client(Reclaim.self, "reclaim", "large:1")
            #expect(held.diskBytes == 0)
            #expect(held.stays.contains { $0.kind == "image" && $0.reason.contains("writer") })
            // The engine's containerd has a directory for a container as long as it runs.
            try await host.reclaim(
                ["writer", "short", "large:1", "data"], of: docker.dataRoot, but: ["*.v2.task"]
            ) {
                try await docker.docker("rm", "--force", "writer", "short")
                try await docker.docker("rmi", "large:1")
                try await docker.docker("volume", "rm", "data")
            }
            try await host.reclaim(
                ["localhost/second:1", "kept"], of: host.podman.root,
                but: ["overlay-*/*.json", "libpod", "*.lock"]
            ) {
                try await host.podman.podman("rmi", "localhost/second:1")
                try await host.podman.podman("volume", "rm", "kept")
            }
            try await host.balance("at the end")
            let explanation = try await host.daemon.query.client(Explanation.self, "explain", "small:1")
            #expect(explanation.kind == "image" && explanation.terms.contains { $0.what == "image layer" })
        }
    }
}
