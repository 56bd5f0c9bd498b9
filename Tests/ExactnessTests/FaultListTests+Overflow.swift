import Accounting
import Foundation
import Glibc
import Kernel
import Synchronization
import Testing
import UsageTestKit

@testable import Tracking

extension FaultListTests {
    @Test("2: a reader held up in a flood loses events, looks at everything again, and is exact")
    func heldUpReader() async throws {
        // Taken while no other test has a smaller one set.
        let queueLength = try SmallQueue.length()
        try await FollowedLayer.with { layer in
            // A reader that is held up before it knows of a directory hears nothing of what is in it.
            for thread in 0..<2 { mkdir(Flood.directory(of: thread, in: layer.path), 0o755) }
            try await layer.settle()
            layer.reports.pause()
            try await layer.sh("echo > first")
            try await wait(until: "a reader that is held up", deadline: .seconds(60)) { layer.reports.holds }
            let before = layer.service.counters
            // The kernel's queue has three events for each file.
            let flood = Flood(
                in: layer.path, threads: 2, filesOfThread: Int(queueLength) / 4, removes: false)
            defer { flood.requestStop() }
            try await wait(until: "the flood's end", deadline: .seconds(120)) { flood.hasStopped }
            layer.reports.resume()
            try await layer.compare()
            let counters = layer.service.counters
            #expect(counters.overflows > before.overflows)
            #expect(counters.fullLooks > before.fullLooks)
        }
    }

    @Test("3: events lost while everything is looked at are made good by another look")
    func overflowDuringLook() throws {
        let scratch = try ScratchDirectory("layer")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        for index in 0..<20 { mkdir(scratch("\(index)"), 0o755) }
        let inotify = try Inotify()
        let files = KernelFileSystem(
            path: scratch.path,
            watches: LayerWatches(
                instance: InotifyInstance { inotify }, owners: WatchOwners(),
                budget: WatchBudget(limit: .max),
                layer: 0))
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [], looksPerRelief: 3)
        var losses = 0
        // The work is in directories that were looked at and in those that were not, and nothing tells of it.
        func lose() {
            losses += 1
            for index in 0..<20 {
                try? Data(repeating: 7, count: 5_000).write(
                    to: URL(fileURLWithPath: scratch("\(index)/\(losses)")))
            }
            _ = try? inotify.drain { _ in }
            tracker.noteOverflow()
        }
        _ = tracker.runBatch(now: 0) { if losses < 3 { lose() } }
        #expect(losses == 3)
        #expect(!tracker.isSettled)
        for _ in 0..<4 where !tracker.isSettled {
            if tracker.needsAudit { tracker.audit() }
            _ = tracker.runBatch(now: 0) {}
        }
        #expect(tracker.isSettled)
        #expect(try tracker.measure.total == FullWalk(walking: scratch.path).total)
    }

    @Test("17: a service that starts in the midst of work has the figure of the one before")
    func restart() async throws {
        try await FollowedLayer.with { layer in
            try await layer.settle()
            let flood = Flood(in: layer.path)
            defer { flood.requestStop() }
            for _ in 0..<5 {
                let before = flood.files
                let reports = LastReports()
                let service = try TrackingService(sink: reports)
                service.start()
                service.track(FollowedLayer.key, directory: layer.path)
                try await wait(until: "work in the first look", deadline: .seconds(60)) {
                    flood.files > before + 200 && reports.measure(FollowedLayer.key) != nil
                }
                service.stop()
            }
            let reports = LastReports()
            let service = try TrackingService(sink: reports)
            service.start()
            defer { service.stop() }
            service.track(FollowedLayer.key, directory: layer.path)
            flood.requestStop()
            try await wait(until: "the flood's end", deadline: .seconds(60)) { flood.hasStopped }
            let (figure, truth) = try await service.compare(
                FollowedLayer.key, with: layer.path, figure: reports.measure)
            #expect(figure == truth)
            try await layer.compare()
        }
    }
}
