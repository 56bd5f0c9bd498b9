import Accounting
import Foundation
import Kernel
import Synchronization
import Testing
import UsageTestKit

@testable import Tracking

/// A worker without a thread, whose passes a test makes one by one.
@Suite("What a tracking thread does when")
struct ShardWorkerTests {
    private let sink = LastReports()

    private func key(_ id: String) -> LayerKey {
        LayerKey(store: StoreIdentity(engine: "test", driver: "directory", root: "/"), id: id)
    }

    private func makeWorker(batchMilliseconds: Int = 0, settleSeconds: [Int] = []) throws -> ShardWorker {
        var options = TrackingOptions(batchMilliseconds: batchMilliseconds, watchLimit: 1_000)
        options.settling.looksAfterSeconds = settleSeconds
        let inotify = try Inotify()
        return ShardWorker(
            options: options, sink: sink, pool: try ScannerPool(threads: 1, options: options, sink: sink),
            budget: WatchBudget(limit: options.watchLimit), inodes: InodeBudget(limit: options.inodeLimit),
            instance: InotifyInstance(allowedQueueLength: { 16_384 }) { inotify }, takeCommands: { [] },
            publish: { _ in }, shareLinks: { _ in }, returnPoll: { _, _ in }, wakeUp: try WakeUp())
    }

    /// Follows directories, and takes what tells of their making.
    private func track(_ names: [String], in scratch: ScratchDirectory, by worker: ShardWorker) {
        for name in names { #expect(mkdir(scratch(name), 0o755) == 0) }
        worker.obey(names.map { .track(key($0), TrackedDirectory(path: scratch($0))) })
        pass(worker)
        pass(worker)
        worker.visits = 0
    }

    /// As the thread does, where it is time for a batch.
    private func pass(_ worker: ShardWorker) {
        worker.drain()
        if worker.firstEvent != nil { worker.firstEvent = 0 }
        worker.runBatches()
    }

    private func write(_ size: Int, to path: String) throws {
        try Data(repeating: 1, count: size).write(to: URL(fileURLWithPath: path))
    }

    private func expectWalk(_ name: String, in scratch: ScratchDirectory) throws {
        #expect(try sink.measure(key(name)) == FullWalk(walking: scratch(name)).total, "\(name)")
    }

    @Test("layers with nothing to do are not seen after, whatever comes to another")
    func onlyWhatChanged() throws {
        let scratch = try ScratchDirectory("worker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let names = (0..<50).map { "layer\($0)" }
        let worker = try makeWorker()
        track(names, in: scratch, by: worker)
        for _ in 0..<10 { pass(worker) }
        #expect(worker.visits == 0)
        for size in 1...10 {
            try write(size, to: scratch("layer7/file"))
            pass(worker)
            try expectWalk("layer7", in: scratch)
        }
        #expect(worker.visits == 10)
        worker.barriers.append { #expect($0 == []) }
        pass(worker)
        #expect(worker.visits == 10 + names.count)
    }

    @Test("after lost events all layers are looked at")
    func overflow() throws {
        let scratch = try ScratchDirectory("worker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let names = (0..<5).map { "layer\($0)" }
        let worker = try makeWorker()
        track(names, in: scratch, by: worker)
        // Read by nobody, as if they had not fitted into the queue.
        for name in names { try write(5_000, to: scratch("\(name)/file")) }
        _ = try worker.instance.inotify?.drain { _ in }
        InotifyEvent(watch: -1, mask: .queueOverflow).withRecord { worker.take($0) }
        pass(worker)
        #expect(worker.visits == names.count)
        #expect(worker.counters.overflows == 1)
        #expect(worker.restAfterRescans > 0)
        worker.barriers.append { #expect($0 == []) }
        pass(worker)
        for name in names { try expectWalk(name, in: scratch) }
        #expect(worker.restAfterRescans == 0)
    }

    @Test("what is asked in a burst is answered with all that was queued")
    func askedInBurst() throws {
        let scratch = try ScratchDirectory("worker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let worker = try makeWorker(batchMilliseconds: 3_600_000)
        track(["a", "b"], in: scratch, by: worker)
        for index in 0..<3_000 { try write(index, to: scratch("a/\(index % 7)")) }
        try write(100, to: scratch("b/file"))
        let answers = Mutex<[Set<LayerKey>?]>([])
        worker.obey([.barrier { answer in answers.withLock { $0.append(answer) } }])
        let now = monotonicNanoseconds()
        #expect(worker.nextDue(now: now) == now)
        worker.wait()
        worker.drain()
        worker.runBatches()
        #expect(answers.withLock { $0 } == [[]])
        try expectWalk("a", in: scratch)
        try expectWalk("b", in: scratch)
    }

    @Test(
        "between two batches events gather, though not until the queue could be full, and do not wake the thread"
    )
    func gathers() throws {
        let scratch = try ScratchDirectory("worker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let worker = try makeWorker(batchMilliseconds: 3_600_000)
        track(["a"], in: scratch, by: worker)
        try write(100, to: scratch("a/file"))
        let begin = monotonicNanoseconds()
        worker.wait()
        #expect(monotonicNanoseconds() - begin >= worker.longestRest)
        #expect(worker.longestRest < Int64(16_384) * 1_000_000 / 1_000)
    }

    @Test("one layer's flood keeps no other from being tried again")
    func retryBesideFlood() async throws {
        let scratch = try ScratchDirectory("worker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let worker = try makeWorker()
        track(["flooded", "gone"], in: scratch, by: worker)
        #expect(rename(scratch("gone"), scratch("aside")) == 0)
        worker.barriers.append { #expect($0 == [key("gone")]) }
        pass(worker)
        #expect(rename(scratch("aside"), scratch("gone")) == 0)
        try await wait(until: "another try") {
            try write(100, to: scratch("flooded/file"))
            pass(worker)
            return if case .measured(_, .exact) = sink.outcome(key("gone")) { true } else { false }
        }
    }

    @Test("one layer's flood keeps no other from being looked at when its blocks have settled")
    func settlesBesideFlood() async throws {
        let scratch = try ScratchDirectory("worker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let worker = try makeWorker(settleSeconds: [1])
        track(["flooded", "settling"], in: scratch, by: worker)
        try write(100, to: scratch("settling/file"))
        pass(worker)
        let settling = try #require(worker.indices[key("settling")].flatMap { worker.tracked[$0] })
        // Not every file system has blocks that change after a write.
        let file = try FileStatus.of(path: scratch("settling/file")).identity.inode
        settling.tracker.settle.noteWrite(of: file, at: monotonicNanoseconds())
        worker.plan(settling)
        let due = try #require(settling.tracker.nextSettle)
        let looks = settling.tracker.counters.looks
        let flooded = try #require(worker.indices[key("flooded")])
        try await wait(until: "the look") {
            #expect(worker.nextDue(now: monotonicNanoseconds()) <= due)
            try write(100, to: scratch("flooded/file"))
            pass(worker)
            return settling.tracker.counters.looks == looks + 1
        }
        worker.forget(key("flooded"))
        #expect(worker.tracked[flooded] == nil)
        #expect(settling.tracker.nextSettle == nil)
    }

    @Test(
        "a busy layer is looked at when its time has come, though nothing else comes, and at once for who asks"
    )
    func busyLayer() async throws {
        let scratch = try ScratchDirectory("worker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let worker = try makeWorker(batchMilliseconds: 300)
        track(["busy"], in: scratch, by: worker)
        let entry = try #require(worker.tracked.values.first)
        for _ in 0...Pace.patience {
            entry.pace.note(monotonicNanoseconds(), interval: worker.batchInterval)
        }
        #expect(entry.pace.isBusy)
        try write(5_000, to: scratch("busy/file"))
        worker.barriers.append { #expect($0 == []) }
        worker.drain()
        worker.runBatches()
        try expectWalk("busy", in: scratch)
        try write(6_000, to: scratch("busy/file"))
        let next = entry.pace.next(interval: worker.batchInterval)
        repeat {
            worker.wait()
            worker.drain()
            worker.runBatches()
        } while entry.hasMarks || monotonicNanoseconds() < next
        try expectWalk("busy", in: scratch)
    }

    @Test("the sums over layers are those of the layers, and keep what forgotten ones did")
    func sums() throws {
        let scratch = try ScratchDirectory("worker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let worker = try makeWorker()
        track(["a", "b", "c"], in: scratch, by: worker)
        #expect(mkdir(scratch("b/sub"), 0o755) == 0)
        try write(100, to: scratch("c/file"))
        pass(worker)
        pass(worker)
        let layers = Array(worker.tracked.values)
        #expect(worker.sum.looks == layers.reduce(0) { $0 + $1.tracker.counters.looks })
        #expect(worker.sum.fullLooks == layers.reduce(0) { $0 + $1.tracker.counters.fullLooks })
        #expect(worker.counters.watchesNeeded == 4)
        let looks = worker.sum.looks
        worker.forget(key("b"))
        #expect(worker.sum.looks == looks)
        #expect(worker.counters.watchesNeeded == 2)
        #expect(worker.ready.isEmpty)
    }
}
