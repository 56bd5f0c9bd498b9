import Accounting
import Foundation
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

@Suite("Shares of the watches")
struct WatchShareTests {
    private let store = StoreIdentity(engine: "test", driver: "directory", root: "/")

    private func key(_ id: String) -> LayerKey { LayerKey(store: store, id: id) }

    private func makeDirectories(_ range: Range<Int>, in path: String) throws {
        if range.lowerBound == 0 { try #require(mkdir(path, 0o755) == 0) }
        for index in range { try #require(mkdir("\(path)/\(index)", 0o755) == 0) }
    }

    private func expectRight(
        _ sink: LastReports, _ id: String, _ path: String, isExact: Bool
    ) throws {
        let truth = try FullWalk(walking: path).total
        switch sink.outcome(key(id)) {
        case .measured(let measure, .exact): #expect(isExact && measure.total == truth, "\(id)")
        case .measured(let measure, .polling(let reason, _)):
            #expect(!isExact && measure.total == truth, "\(id): \(reason)")
            #expect(reason.contains("tracking.watch_budget"), "\(id): \(reason)")
        case let other: Issue.record("\(id): \(String(describing: other))")
        }
    }

    @Test(
        "containers that make directories without end are polled, and the others are exact",
        arguments: [1, 3])
    func manyDirectories(hogs: Int) async throws {
        let scratch = try ScratchDirectory("share")
        do {
            let sink = LastReports()
            let service = try TrackingService(
                options: TrackingOptions(pollSeconds: 1, watchLimit: 2_000), sink: sink)
            service.start()
            defer { service.stop() }
            let small = ["a", "b", "c"]
            for id in small {
                try makeDirectories(0..<20, in: scratch(id))
                service.track(key(id), directory: scratch(id))
            }
            let large = (0..<hogs).map { "hog\($0)" }
            for id in large {
                try makeDirectories(0..<10, in: scratch(id))
                service.track(key(id), directory: scratch(id))
            }
            #expect(await service.barrier() == [])
            for id in large { try makeDirectories(10..<2_100, in: scratch(id)) }
            _ = await service.barrier()
            // All grow on while the large ones are tried again.
            for round in 1...4 {
                for id in small { try makeDirectories((round * 20)..<(round * 20 + 20), in: scratch(id)) }
                let unsettled = await service.barrier()
                #expect(
                    unsettled?.isDisjoint(with: small.map(key)) == true, "\(String(describing: unsettled))")
                for id in small { try expectRight(sink, id, scratch(id), isExact: true) }
            }
            for id in large {
                try await wait(until: "the passes") {
                    if case .measured(_, .polling) = sink.outcome(key(id)) { true } else { false }
                }
                try await wait(until: "the pass after the last directory") {
                    sink.measure(key(id))?.inodes == 2_101
                }
                try expectRight(sink, id, scratch(id), isExact: false)
            }
        } catch {
            try? await scratch.remove()
            throw error
        }
        try await scratch.remove()
    }

    @Test("a layer that has taken all there is yields to one that has far less, and to no other")
    func yielding() {
        let budget = WatchBudget(limit: .max)
        let large = budget.register()
        let other = budget.register()
        let small = budget.register()
        for _ in 0..<1_000 { #expect(budget.take(for: large) == .granted) }
        for _ in 0..<500 { #expect(budget.take(for: other) == .granted) }
        #expect(!budget.mustYield(large))
        // The kernel has less than was thought.
        budget.noteRefusal(of: small)
        #expect(budget.take(for: small) == .exhausted)
        #expect(!budget.mustYield(small) && !budget.mustYield(other))
        #expect(budget.mustYield(large))
        #expect(!budget.mustYield(large))
        for _ in 0..<1_000 { budget.give(for: large) }
        #expect(budget.take(for: small) == .granted)
        // What the large one may have again leaves as much for the rest.
        var count = 0
        while budget.take(for: large) == .granted { count += 1 }
        #expect(count == (1_500 - 501) - (1_500 - 501) / 4)
        #expect(!budget.mustYield(other))
    }

    @Test("a directory that went to another layer counts for that one")
    func moved() {
        let budget = WatchBudget(limit: 80)
        let one = budget.register()
        let two = budget.register()
        for _ in 0..<64 { #expect(budget.take(for: one) == .granted) }
        #expect(budget.take(for: one) == .overShare)
        budget.move(from: one, to: two)
        #expect(budget.take(for: one) == .granted)
        for _ in 0..<15 { #expect(budget.take(for: two) == .granted) }
        #expect(budget.take(for: two) == .exhausted)
        for _ in 0..<16 { budget.give(for: two) }
        budget.give(for: two)
        for _ in 0..<16 { #expect(budget.take(for: two) == .granted) }
        #expect(budget.take(for: two) == .exhausted)
    }

    @Test("the kernel's limit counts as well as the operator's")
    func kernelLimit() throws {
        #expect(try #require(KernelLimits.watches?.value) > 0)
        let budget = WatchBudget(limit: .max) { 70 }
        let layer = budget.register()
        for _ in 0..<64 { #expect(budget.take(for: layer) == .granted) }
        #expect(budget.take(for: layer) == .overShare)
    }
}
