import Testing
import UsageTestKit
import Wire

extension EngineTests {
    @Suite("random work in containers", .serialized)
    struct RandomWork {
        @Test("ten containers of two images that share a base are exact after random work")
        func tenContainers() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithImages()
            let query = try await world.daemon().query
            let seed = UInt64.random(in: 0...UInt64.max)
            print("random work: seed \(seed)")
            let lower = try await lowerFiles(engine)
            let operations = EngineWorld.runsAll ? 1000 : 150

            var names: [String] = []
            for index in 0..<10 {
                let name = "work-\(index)"
                let image = index % 2 == 0 ? EngineWorld.base : EngineWorld.zigiweb
                _ = try await engine.runIdle(name: name, image: image)
                names.append(name)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, name) in names.enumerated() {
                    group.addTask {
                        var work = RandomFileWork(seed: seed &+ UInt64(index), lowerFiles: lower)
                        try await engine.docker(
                            ["exec", "--interactive", name, "sh"],
                            input: work.script(operations: operations), deadline: .seconds(300))
                    }
                }
                try await group.waitForAll()
            }
            try await compare(names, engine, query, seed: seed)

            // The same again over what is there now, so that the figures go down as well as up.
            for name in names {
                try await engine.docker("exec", name, "sh", "-c", "rm -rf /work/d1 /work/f2 /usr/share/doc")
            }
            try await compare(names, engine, query, seed: seed)
            try await engine.docker(["rm", "--force"] + names)
            try await wait(until: "the containers to be gone from the status") {
                let status = try await query.status()
                return names.allSatisfy { status.container(named: $0) == nil }
            }
        }

        /// Compares each container with du and with the engine at a moment that the daemon calls exact.
        ///
        /// Figures that differ though they are called exact fail at once; the kernel has written everything out
        /// before, so that nothing changes meanwhile.
        private func compare(
            _ names: [String], _ engine: DockerEngine, _ query: UsageQuery, seed: UInt64
        ) async throws {
            try await DiskUsage.sync(engine.dataRoot)
            let status = try await query.exactStatus(deadline: .seconds(120))
            let containers = try await engine.containers()
            for name in names {
                let upper = try await engine.upperDirectory(of: name)
                let disk = try await DiskUsage.du(upper)
                let ours = try #require(status.container(named: name))
                let engineSays = try #require(containers.first { $0.name == name })
                let why: Comment = "container \(name), seed \(seed), upper directory \(upper), called exact"
                #expect(ours.state == .exact, why)
                #expect(ours.diskBytes == disk, why)
                #expect(ours.sizeBytes == engineSays.sizeRw, why)
            }
            let total = status.containers.map(\.diskBytes).reduce(0, +)
            #expect(status.totals.containers.diskBytes == total)
        }

        private func lowerFiles(_ engine: DockerEngine) async throws -> [String] {
            try await engine.docker(
                "run", "--rm", "--network", "none", EngineWorld.base, "find", "/etc", "/usr/share",
                "/var/lib",
                "-xdev", "-type", "f", "!", "-name", "*'*"
            ).split(separator: "\n").map(String.init).sorted()
        }
    }
}
