import Testing
import UsageTestKit
import Wire

extension EngineTests {
    @Suite("from a write to the reader", .serialized)
    struct Delay {
        @Test("every write in a container is seen in the feed; the delays are printed")
        func feed() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithBase()
            let query = try await world.daemon().query
            _ = try await engine.runIdle(name: "delay", image: EngineWorld.base)
            let files = ContainerFiles(processID: try await engine.processID(of: "delay"))
            let seed = UInt64.random(in: 0...UInt64.max)
            var random = SeededGenerator(seed: seed)
            print("delay: seed \(seed)")

            try await files.append(1, to: "/tmp/first")
            let before = try await wait(for: "the container in an exact status") {
                let status = try await query.exactStatus()
                return status.container(named: "delay").flatMap { $0.sizeBytes > 0 ? $0 : nil }
            }
            let feed = try await FeedRecorder.start(query)
            var size = before.sizeBytes
            var delays = Delays()
            var position = feed.count
            for index in 0..<(EngineWorld.runsAll ? 1000 : 100) {
                // Not in step with the daemon's own batches.
                try await ContinuousClock().sleep(for: .milliseconds(Int.random(in: 0..<50, using: &random)))
                let bytes = Int.random(in: 1...20_000, using: &random)
                let path = index % 3 == 0 ? "/tmp/appended" : "/tmp/file-\(index)"
                let written = try await files.append(bytes, to: path)
                size += Int64(bytes)
                let expected = size
                let seen = try await feed.first(from: position, "write \(index), seed \(seed)") {
                    $0.type == .usage && $0.container?.name == "delay"
                        && ($0.container?.sizeBytes ?? 0) >= expected
                }
                #expect(seen.event.container?.sizeBytes == expected, "write \(index), seed \(seed)")
                delays.add(max(.zero, seen.time - written))
                position = feed.count - 1
            }
            print("delay from a returned write to the feed's reader: \(delays)")
            #expect(feed.unreadable.isEmpty)
            try await feed.stop()
            try await engine.docker("rm", "--force", "delay")
        }

        @Test("a write that has returned before a request is in its answer, or the answer is not exact")
        func barrier() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithBase()
            let query = try await world.daemon().query
            _ = try await engine.runIdle(name: "barrier", image: EngineWorld.base)
            let files = ContainerFiles(processID: try await engine.processID(of: "barrier"))
            let before = try await wait(for: "the container in an exact status") {
                try await query.exactStatus().container(named: "barrier")
            }
            var size = before.sizeBytes
            var exact = 0
            for index in 0..<50 {
                try await files.append(1000, to: "/tmp/file-\(index)")
                size += 1000
                let status = try await query.get(Status.self, "v1/status")
                guard status.exact else { continue }
                exact += 1
                #expect(status.container(named: "barrier")?.sizeBytes == size, "write \(index)")
            }
            print("barrier: \(exact) of 50 answers right behind a write were exact")
            let after = try await query.exactStatus()
            #expect(after.container(named: "barrier")?.sizeBytes == size)
            try await engine.docker("rm", "--force", "barrier")
        }
    }
}
