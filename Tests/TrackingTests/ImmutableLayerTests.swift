import Accounting
import Foundation
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

@Suite("Measuring immutable layers")
struct ImmutableLayerTests {
    private let key = LayerKey(
        store: StoreIdentity(engine: "test", driver: "directory", root: "/"), id: "layer")

    private func makeService(youngSeconds: Int64) throws -> (TrackingService, LastReports) {
        var options = TrackingOptions()
        options.settling = SettlingTimes(
            youngNanoseconds: youngSeconds * 1_000_000_000,
            delayNanoseconds: (youngSeconds + 1) * 1_000_000_000)
        let sink = LastReports()
        let service = try TrackingService(options: options, sink: sink)
        service.start()
        return (service, sink)
    }

    @Test("a layer just written is not final, a barrier measures it again, and forgetting ends it")
    func young() async throws {
        let directory = try ScratchDirectory("layer")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        try Data(repeating: 1, count: 10_000).write(to: URL(fileURLWithPath: directory("a")))
        let (service, sink) = try makeService(youngSeconds: 35)
        defer { service.stop() }
        service.measure(key, directory: directory.path)
        try await wait(until: "the first figure") { sink.measure(key) != nil }
        #expect(sink.report(key)?.isFinal == false)
        #expect(service.counters.settlingLayers == 1)
        for round in 0..<5 {
            try Data(repeating: 1, count: 10_000).write(to: URL(fileURLWithPath: directory("b\(round)")))
            #expect(await service.barrier() == [])
            #expect(try sink.measure(key) == FullWalk(walking: directory.path).total)
        }
        service.forget(key)
        #expect(service.counters.settlingLayers == 0)
        #expect(await service.barrier() == [])
    }

    @Test("a layer is measured again by itself until it is final, with what came meanwhile")
    func comesOfAge() async throws {
        let directory = try ScratchDirectory("layer")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let (service, sink) = try makeService(youngSeconds: 10)
        defer { service.stop() }
        service.measure(key, directory: directory.path)
        try await wait(until: "the first figure") { sink.measure(key) != nil }
        #expect(sink.report(key)?.isFinal == false)
        try Data(repeating: 1, count: 10_000).write(to: URL(fileURLWithPath: directory("late")))
        try await wait(until: "the final figure", deadline: .seconds(60)) {
            sink.report(key)?.isFinal == true
        }
        #expect(try sink.measure(key) == FullWalk(walking: directory.path).total)
        #expect(service.counters.settlingLayers == 0)
    }

    @Test("change times in the future count as young")
    func future() {
        let times = SettlingTimes()
        let now = realtimeNanoseconds()
        #expect(times.outcome(newestChange: now - 35_000_000_000, walkStarted: now) == .final)
        for change in [now - 34_999_999_999, now, now + 1_000_000_000, .max] {
            guard case .young(let due) = times.outcome(newestChange: change, walkStarted: now) else {
                Issue.record("\(change) is not young at \(now)")
                continue
            }
            #expect(due <= monotonicNanoseconds() + SettlingTimes.longestWait)
        }
    }

    @Test("a layer whose directory is not there is unsettled")
    func missing() async throws {
        let directory = try ScratchDirectory("layer")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let (service, sink) = try makeService(youngSeconds: 35)
        defer { service.stop() }
        service.measure(key, directory: directory("none"))
        try await wait(until: "the failure") {
            if case .failed(let reason) = sink.outcome(key) { reason.contains("none") } else { false }
        }
        #expect(await service.barrier() == [key])
    }

    @Test("a stopped service settles nothing")
    func stopped() async throws {
        let directory = try ScratchDirectory("layer")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let (service, _) = try makeService(youngSeconds: 35)
        let writable = LayerKey(store: key.store, id: "writable")
        service.track(writable, directory: directory.path)
        #expect(await service.barrier() == [])
        service.measure(key, directory: directory.path)
        service.stop()
        #expect(await service.barrier() == [key, writable])
    }
}
