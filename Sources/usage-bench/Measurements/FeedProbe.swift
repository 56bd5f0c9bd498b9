import FoundationEssentials
import Glibc
import UsageClient
import UsageTestKit
import Wire

/// Writes to containers, and waits for the feed to say so.
final class FeedProbe {
    private let feed: FeedReader
    /// Begins the names of its files: one that is written again with the same size is no change.
    private let prefix: String
    private var generator: SeededGenerator
    private var serial = 0

    init(_ daemon: BenchDaemon, seed: UInt64) throws {
        feed = try daemon.connection.feed()
        prefix = "probe-\(seed)"
        generator = SeededGenerator(seed: seed)
    }

    /// From a write that returned to the event that tells of it, milliseconds; each after a pause of 20 to 120 ms.
    func delays(of containers: [(id: String, upper: String)], count: Int) throws -> Samples {
        var samples = Samples()
        for _ in 0..<count {
            usleep(UInt32.random(in: 20_000...120_000, using: &generator))
            try readAll()
            let container = containers[Int.random(in: containers.indices, using: &generator)]
            serial += 1
            try Tree.write("\(container.upper)/\(prefix)-\(serial)", ArraySlice(repeating: 120, count: 4_096))
            let begin = ContinuousClock.now
            samples.add((try wait(for: container.id) - begin).milliseconds)
        }
        return samples
    }

    /// What came until now is of earlier writes.
    private func readAll() throws {
        while case .line = try feed.next(within: .zero) {}
    }

    private func wait(for container: String) throws -> ContinuousClock.Instant {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            guard case .line(let line) = try feed.next(within: .seconds(1)) else { continue }
            let time = ContinuousClock.now
            let event = try WireCoding.decode(FeedEvent.self, from: line)
            if event.type == .usage, event.container?.id == container { return time }
        }
        throw WaitFailure(description: "no event of container \(container) in 20 s")
    }
}
