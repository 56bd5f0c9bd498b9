import Accounting
import Foundation
import Kernel
import Synchronization
import SystemPackage
import Testing
import UsageTestKit

@testable import Tracking

@Suite("the kernel's queue runs over")
struct QueueLengthTests {
    /// Holds up the thread that reports, so that events stay in the queue.
    private final class HoldingSink: TrackingSink {
        let last = LastReports()
        let isHeld = Atomic(false)
        let isHolding = Atomic(false)

        func take(_ report: LayerReport) {
            last.take(report)
            while isHeld.load(ordering: .relaxed) {
                isHolding.store(true, ordering: .relaxed)
                usleep(1_000)
            }
        }
    }

    enum Change: CaseIterable { case none, raised, raisedWithoutAnInstance }

    @Test(
        "a limit that was raised meanwhile is taken up by a new instance, if there is one",
        arguments: Change.allCases)
    func takesLongerQueue(change: Change) async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let limit = try #require(KernelLimits.queuedEvents?.value)
        let allowed = Atomic(limit)
        let opened = Atomic(0)
        let sink = HoldingSink()
        let service = try TrackingService(
            options: TrackingOptions(shards: 1), sink: sink,
            queueLength: { allowed.load(ordering: .relaxed) }
        ) { () throws(KernelError) in
            let count = opened.add(1, ordering: .relaxed).newValue
            guard count == 1 || change != .raisedWithoutAnInstance else {
                throw KernelError(call: "inotify_init1", errno: .tooManyOpenFiles)
            }
            return try Inotify()
        }
        service.start()
        defer { service.stop() }
        let key = LayerKey(store: StoreIdentity(engine: "test", driver: "directory", root: "/"), id: "w")
        #expect(mkdir(directory("sub"), 0o755) == 0)
        service.track(key, directory: directory.path)
        #expect(await service.barrier() == [])

        sink.isHeld.store(true, ordering: .relaxed)
        try Data(repeating: 1, count: 5_000).write(to: URL(fileURLWithPath: directory("held")))
        try await wait(until: "the thread to be held") { sink.isHolding.load(ordering: .relaxed) }
        // Each is two events.
        for index in 0...(limit / 2) {
            #expect(symlink("x", directory("sub/\(index)")) == 0)
            #expect(unlink(directory("sub/\(index)")) == 0)
        }
        if change != .none { allowed.store(limit * 2, ordering: .relaxed) }
        sink.isHeld.store(false, ordering: .relaxed)
        try await wait(until: "the overflow to be seen") { service.counters.overflows == 1 }
        for size in [1_000, 20_000] {
            try Data(repeating: 1, count: size).write(to: URL(fileURLWithPath: directory("sub/after")))
            try await wait(until: "an answer") { await service.barrier() == [] }
            let walk = try FullWalk(walking: directory.path)
            #expect(sink.last.measure(key)?.diskBytes == walk.diskBytes)
            #expect(sink.last.measure(key)?.inodes == walk.inodes)
        }
        #expect(opened.load(ordering: .relaxed) == (change == .none ? 1 : 2))
        #expect(service.counters.watches == 2)
        guard case .measured(_, .exact) = sink.last.outcome(key) else {
            Issue.record("\(String(describing: sink.last.outcome(key)))")
            return
        }
    }
}
