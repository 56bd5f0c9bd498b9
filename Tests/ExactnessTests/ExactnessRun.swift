import Accounting
import Foundation
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

/// Works on one layer from several threads and processes at once, and compares the service's figure with a walk each
/// time that all is quiet.
struct ExactnessRun {
    struct Difference: Error, CustomStringConvertible {
        var description: String
    }

    struct Summary {
        var seeds = 0
        var operations: Int64 = 0
        var comparisons = 0
        var counters = TrackingCounters()
        var differences: [String] = []
    }

    private enum Round {
        /// Few operations, that fit into a queue of some size.
        case plain, mixed
        /// More than any queue holds.
        case plainFlood, mixedFlood

        var operations: Int { isFlood ? 3_000 : 60 }
        var isFlood: Bool { self == .plainFlood || self == .mixedFlood }
        var isPlain: Bool { self == .plain || self == .plainFlood }
    }

    private static let rounds: [Round] = [
        .plain, .plain, .mixed, .mixed, .mixed, .plainFlood, .plain, .mixedFlood, .mixed,
    ]

    let configuration: Configuration
    let fileSystem: LoopFileSystem
    let seed: UInt64

    private var key: LayerKey {
        LayerKey(store: StoreIdentity(engine: "test", driver: "directory", root: "/"), id: "w")
    }

    func run(into summary: inout Summary) async throws {
        let directory = fileSystem.path + "/\(seed)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        switch configuration.way {
        case .plain:
            let (layer, outside) = (directory + "/layer", directory + "/outside")
            for path in [layer, outside] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            }
            try await run(layer: layer, work: layer, outside: outside, &summary)
        case .overlay, .overlayWithAll:
            let mount = try await FilledOverlay.make(in: directory, options: configuration.way.options)
            do {
                try await run(layer: mount.upper, work: mount.merged, outside: nil, &summary)
            } catch {
                try await mount.unmount()
                throw error
            }
            try await mount.unmount()
        }
        try await Command.output(["rm", "-rf", "--one-file-system", directory])
    }

    private func run(
        layer: String, work root: String, outside: String?, _ summary: inout Summary
    ) async throws {
        var generator = SeededGenerator(seed: seed)
        // Either a queue so small that it overflows in the midst of looks, or one that holds what a few operations
        // tell and whose reader is held up during the floods.
        let isHeldUp = Bool.random(using: &generator)
        let queue = SmallQueue(events: isHeldUp ? 1_024 : 1 << Int.random(in: 3...6, using: &generator))
        // Every other run has audits that nobody asked for: they count what the events did not tell.
        let options = TrackingOptions(auditSeconds: seed.isMultiple(of: 2) ? 3_600 : 1)
        let sink = PausableReports()
        let service = try TrackingService(options: options, sink: sink) { () throws(KernelError) in
            try queue.open()
        }
        service.start()
        defer {
            sink.resume()
            service.stop()
        }
        service.track(key, directory: layer)
        var threads = (0..<2 as Range<UInt64>).map {
            RandomSystemCalls(root: root, seed: seed &* 16 &+ $0, outside: outside)
        }
        defer { for index in threads.indices { threads[index].finish() } }
        for (index, round) in Self.rounds.enumerated() {
            if isHeldUp, round.isFlood { sink.pause() }
            async let processes: Void = runProcesses(root: root, outside, round, index: index)
            threads = await withTaskGroup(of: (Int, RandomSystemCalls).self) { group in
                for (index, thread) in threads.enumerated() {
                    group.addTask { (index, await Self.work(thread, round)) }
                }
                return await group.reduce(into: threads) { $0[$1.0] = $1.1 }
            }
            try await processes
            sink.resume()
            summary.operations += Int64(round.operations * 4)
            try await compare(layer, service, sink, round: index, &summary)
        }
        let counters = service.counters
        summary.seeds += 1
        summary.counters += counters
        if counters.overflows == 0 {
            throw Difference(description: "seed \(seed): the queue never overflowed")
        }
    }

    private static func work(_ calls: RandomSystemCalls, _ round: Round) async -> RandomSystemCalls {
        await withCheckedContinuation { continuation in
            NamedThread.start("writer") {
                var calls = calls
                for _ in 0..<round.operations { round.isPlain ? calls.plainStep() : calls.step() }
                continuation.resume(returning: calls)
            }
        }
    }

    private func runProcesses(root: String, _ outside: String?, _ round: Round, index: Int) async throws {
        let writer = try UsagedProcess.executable("random-writer")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for process in 2..<4 as Range<UInt64> {
                let seed = seed &* 16 &+ process &+ UInt64(index) << 32
                let arguments =
                    [writer, root, "\(seed)", round.isPlain ? "plain" : "mixed", "\(round.operations)"]
                    + (outside.map { [$0] } ?? [])
                group.addTask { try await Command.output(arguments) }
            }
            try await group.waitForAll()
        }
    }

    private func compare(
        _ layer: String, _ service: TrackingService, _ sink: PausableReports, round: Int,
        _ summary: inout Summary
    ) async throws {
        let place = "\(configuration.name), seed \(seed), round \(round)"
        summary.comparisons += 1
        do {
            let (figure, truth) = try await service.compare(
                key, with: layer, prepare: fileSystem.sync, figure: sink.measure)
            guard figure != truth else { return }
            summary.differences.append("\(place): \(String(describing: figure)) is not \(truth)")
        } catch let failure as WaitFailure {
            summary.differences.append("\(place): \(failure)")
        }
    }
}
