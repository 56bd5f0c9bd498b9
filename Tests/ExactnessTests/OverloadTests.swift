import Accounting
import Foundation
import Glibc
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

@Suite("Tracking under floods", .serialized)
struct OverloadTests {
    private static let isLong = ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] != nil

    private func key(_ id: String) -> LayerKey {
        LayerKey(store: StoreIdentity(engine: "test", driver: "directory", root: "/"), id: id)
    }

    @Test(
        "in a flood without end looks at everything are spaced, the figure is called converging, and it is exact when the flood ends",
        .enabled(if: SmallQueue.obstacle == nil))
    func spacedRescans() async throws {
        let directory = try ScratchDirectory("flood")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let sink = LastReports()
        let service = try TrackingService(options: TrackingOptions(), sink: sink) { () throws(KernelError) in
            try SmallQueue(events: 16).open()
        }
        service.start()
        defer { service.stop() }
        service.track(key("w"), directory: directory.path)
        #expect(await service.barrier() == [])
        let before = service.counters
        let started = ContinuousClock.now
        let flood = Flood(in: directory.path, threads: 2)
        defer { flood.requestStop() }
        try await wait(until: "many overflows and a few looks at everything", deadline: .seconds(60)) {
            let counters = service.counters
            return counters.overflows > before.overflows + 20 && counters.fullLooks > before.fullLooks + 2
        }
        try await wait(until: "a figure that is called converging", deadline: .seconds(60)) {
            if case .measured(_, .converging) = sink.outcome(key("w")) { true } else { false }
        }
        let seconds = (ContinuousClock.now - started).components.seconds
        let looks = service.counters.fullLooks - before.fullLooks
        #expect(looks <= seconds + 2, "\(looks) looks at everything in \(seconds) s")
        flood.requestStop()
        try await wait(until: "the flood's end", deadline: .seconds(60)) { flood.hasStopped }
        let (figure, truth) = try await service.compare(
            key("w"), with: directory.path, figure: sink.measure)
        #expect(figure == truth)
        // Without a question it becomes exact by itself.
        try await wait(until: "a figure that is called exact", deadline: .seconds(60)) {
            if case .measured(_, .exact) = sink.outcome(key("w")) { true } else { false }
        }
        print(
            "overload: \(flood.files) files, \(service.counters.overflows) overflows, "
                + "\(looks) looks at everything in \(seconds) s")
    }

    @Test(
        "a flood in one layer leaves the answers about another exact and prompt",
        .enabled(if: SmallQueue.obstacle == nil), arguments: [1, 2], isLong ? [0, 30_000] : [0])
    func neighbours(shards: Int, floodedInodes: Int) async throws {
        let directory = try ScratchDirectory("flood")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let (flooded, quiet) = (try directory.directory("flooded"), try directory.directory("quiet"))
        for index in 0..<floodedInodes {
            if index.isMultiple(of: 1_000) { mkdir(flooded + "/\(index / 1_000)", 0o755) }
            #expect(symlink("x", flooded + "/\(index / 1_000)/\(index)") == 0)
        }
        let sink = LastReports()
        let service = try TrackingService(options: TrackingOptions(shards: shards), sink: sink) {
            () throws(KernelError) in try SmallQueue(events: 1_024).open()
        }
        service.start()
        defer { service.stop() }
        service.track(key("flooded"), directory: flooded)
        service.track(key("quiet"), directory: quiet)
        try await wait(until: "both figures", deadline: .seconds(60)) {
            sink.measure(key("flooded")) != nil && sink.measure(key("quiet")) != nil
        }
        let flood = Flood(in: flooded, threads: 2)
        defer { flood.requestStop() }
        var delays: [Duration] = []
        var inexact = 0
        for round in 0..<(Self.isLong ? 300 : 20) {
            try Data(repeating: 7, count: 1_000 * round).write(to: URL(fileURLWithPath: quiet + "/\(round)"))
            // A machine that is busy with other things may make a look take long, and then the answer says so.
            try await wait(until: "an answer that lacks nothing", deadline: .seconds(60)) {
                let asked = ContinuousClock.now
                let unsettled = await service.barrier()
                delays.append(ContinuousClock.now - asked)
                if unsettled?.contains(key("quiet")) == false { return true }
                inexact += 1
                return false
            }
            #expect(try sink.measure(key("quiet")) == FullWalk(walking: quiet).total)
        }
        flood.requestStop()
        try await wait(until: "the flood's end", deadline: .seconds(60)) { flood.hasStopped }
        let stopped = ContinuousClock.now
        let (figure, truth) = try await service.compare(
            key("flooded"), with: flooded, deadline: .seconds(300), figure: sink.measure)
        #expect(figure == truth)
        let recovery = ContinuousClock.now - stopped
        delays.sort()
        print(
            "overload: \(shards) threads, \(floodedInodes) inodes flooded with \(flood.files) files, "
                + "\(service.counters.overflows) overflows: answers after \(delays[delays.count / 2]) (median), "
                + "\(delays[delays.count - 1]) (worst), \(inexact) of \(delays.count) not exact about the "
                + "other; the flooded one exact \(recovery) after the flood")
    }

    @Test("the daemon's memory stays flat in a flood")
    func memory() async throws {
        let store = try ScratchDirectory("flood")
        let layer = try store.directory("layer")
        let daemon = try await UsagedProcess.start(stores: ["plain=\(store.path)"])
        // The first seconds fill what is bounded: names to look at, names that are gone, files that settle.
        let warm = try await flood(layer, files: 20_000)
        let before = try daemon.residentBytes()
        let files = try await flood(layer, files: Self.isLong ? 2_000_000 : 20_000)
        let after = try daemon.residentBytes()
        print("overload: \(before) bytes resident after \(warm) files, \(after) after \(files) more")
        #expect(after < before + (64 << 20))
        try await daemon.remove()
        try await store.remove()
    }

    /// Returns how many files it made.
    private func flood(_ directory: String, files: Int64) async throws -> Int64 {
        let flood = Flood(in: directory, threads: 2)
        defer { flood.requestStop() }
        try await wait(until: "\(files) files", deadline: .seconds(1_800)) { flood.files > files }
        flood.requestStop()
        try await wait(until: "the flood's end", deadline: .seconds(60)) { flood.hasStopped }
        return flood.files
    }
}
