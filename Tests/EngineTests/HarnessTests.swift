import Foundation
import Testing
import UsageTestKit

extension EngineTests {
    @Suite("the harness itself", .serialized)
    struct Harness {
        @Test("an engine builds in layers, runs, answers its API, and starts again after a kill")
        func engineWorks() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithBase()
            let history = try await engine.history(of: EngineWorld.base)
            #expect(history.count == 6)
            #expect(history.last?.instruction.contains("/bin/bash") == true)
            let images = try await engine.images()
            let base = try #require(images.first { $0.names == [EngineWorld.base] })
            #expect(base.parent != nil)
            #expect(base.size == history.map(\.size).reduce(0, +))
            let parent = try await engine.parent(of: EngineWorld.base)
            #expect(base.parent == parent)

            let id = try await engine.runIdle(name: "harness", image: EngineWorld.base)
            try await engine.docker("exec", "harness", "sh", "-c", "head -c 100000 /dev/zero >/tmp/file")
            let upper = try await engine.upperDirectory(of: "harness")
            let walk = try await FullWalk.measure(upper)
            #expect(try await DiskUsage.du(upper) == walk.diskBytes)
            let container = try #require(try await engine.containers().first { $0.id == id })
            #expect(container.sizeRw == walk.sizeBytes)
            #expect(container.name == "harness")

            try await engine.kill()
            #expect(engine.processID == nil)
            try await engine.start()
            #expect(try await engine.containers().contains { $0.id == id })
            try await engine.docker("rm", "--force", "harness")
            #expect(try await engine.containers().contains { $0.id == id } == false)
        }

        @Test("a layer's size in the engine is the apparent size of its directory")
        func layerSizes() async throws {
            let engine = try await EngineWorld.current.engineWithBase()
            let directories = try await engine.layerDirectories(of: EngineWorld.base)
            var sizes: [Int64] = []
            for directory in directories { sizes.append(try await FullWalk.measure(directory).sizeBytes) }
            let steps = try await engine.history(of: EngineWorld.base)
            // Steps that wrote nothing have a size of 0 and no directory, or an empty one.
            #expect(sizes.filter { $0 > 0 } == steps.map(\.size).filter { $0 > 0 })
        }

        @Test("random work leaves what du, the walk and the engine measure alike, and writes are timed")
        func oraclesAgree() async throws {
            let engine = try await EngineWorld.current.engineWithBase()
            let seed = UInt64.random(in: 0...UInt64.max)
            print("harness: seed \(seed)")
            _ = try await engine.runIdle(name: "oracles", image: EngineWorld.base)
            let upper = try await engine.upperDirectory(of: "oracles")
            let before = try await FullWalk.measure(upper)
            var work = RandomFileWork(seed: seed, lowerFiles: ["/etc/passwd", "/etc/group", "/etc/issue"])
            try await engine.docker(
                ["exec", "--interactive", "oracles", "sh"], input: work.script(operations: 200))
            try await DiskUsage.sync(engine.dataRoot)
            let walk = try await FullWalk.measure(upper)
            #expect(walk.inodes > before.inodes + 20, "the work did something, seed \(seed)")
            #expect(try await DiskUsage.du(upper) == walk.diskBytes, "seed \(seed)")
            let sizeRw = try await engine.containers().first { $0.name == "oracles" }?.sizeRw
            #expect(sizeRw == walk.sizeBytes, "seed \(seed)")

            let files = ContainerFiles(processID: try await engine.processID(of: "oracles"))
            let start = ContinuousClock.now
            #expect(try await files.append(1234, to: "/tmp/timed") > start)
            #expect(try await FullWalk.measure(upper).sizeBytes == walk.sizeBytes + 1234)
            try await engine.docker("rm", "--force", "oracles")
        }

        @Test("a command past its deadline is killed with what it started")
        func deadline() async throws {
            await #expect(throws: Command.Failure.self) {
                try await Command.run(
                    ["sh", "-c", "sleep 600 & wait"], deadline: .milliseconds(50))
            }
        }

        @Test("a command's status, output and input are its own")
        func command() async throws {
            let result = try await Command.run(["sh", "-c", "cat; echo no >&2; exit 3"], input: "in")
            #expect(result.status == 3)
            #expect(result.out == "in")
            #expect(result.err == "no\n")
        }
    }
}
