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
        try await FollowedLayer.with { layer in
            try await layer.settle()
            layer.reports.pause()
            let before = layer.service.counters
            let flood = Flood(in: layer.path, threads: 2, removes: false)
            // The kernel's queue holds fs.inotify.max_queued_events, three for each file.
            let queue = try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .ascii)
            let events = try #require(Int64(queue.filter(\.isNumber)))
            try await wait(until: "a flood that no queue holds", deadline: .seconds(120)) {
                flood.files > events / 2
            }
            #expect(layer.reports.holds)
            layer.reports.resume()
            flood.requestStop()
            try await wait(until: "the flood's end", deadline: .seconds(60)) { flood.hasStopped }
            try await layer.compare()
            let counters = layer.service.counters
            #expect(counters.overflows > before.overflows)
            #expect(counters.fullLooks > before.fullLooks)
        }
    }

    @Test(
        "3: events lost while everything is looked at are made good by another look",
        .enabled(if: SmallQueue.obstacle == nil))
    func overflowDuringLook() async throws {
        try await FollowedLayer.with(
            openInotify: { () throws(KernelError) in try SmallQueue(events: 8).open() },
            prepare: {
                layer in
                for index in 0..<400 { mkdir("\(layer.path)/\(index)", 0o755) }
            }
        ) { layer in
            // The first look takes a while and empties the queue every few hundred looks only.
            let flood = Flood(in: layer.path, threads: 2, removes: false)
            try await wait(until: "lost events during looks at everything", deadline: .seconds(60)) {
                let counters = layer.service.counters
                return counters.overflows > 3 && counters.fullLooks > 1
            }
            flood.requestStop()
            try await wait(until: "the flood's end", deadline: .seconds(60)) { flood.hasStopped }
            try await layer.compare()
        }
    }

    @Test("17: a service that starts in the midst of work has the figure of the one before")
    func restart() async throws {
        try await FollowedLayer.with { layer in
            try await layer.settle()
            let flood = Flood(in: layer.path)
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
