import Accounting
import Foundation
import Kernel
import Synchronization
import SystemPackage
import Testing
import UsageTestKit

@testable import Tracking

@Suite("Tracking writable layers")
struct TrackingServiceTests {
    let store = StoreIdentity(engine: "test", driver: "directory", root: "/")

    func oracle(_ path: String) throws -> Measure {
        let walk = try FullWalk(walking: path)
        return Measure(diskBytes: walk.diskBytes, sizeBytes: walk.sizeBytes, inodes: walk.inodes)
    }

    func key(_ id: String) -> LayerKey { LayerKey(store: store, id: id) }

    private func makeService(_ options: TrackingOptions = TrackingOptions()) throws -> (
        TrackingService, LastReports
    ) {
        let sink = LastReports()
        let service = try TrackingService(options: options, sink: sink)
        service.start()
        return (service, sink)
    }

    @Test(
        "after a barrier the figure equals a full walk, whatever was done before",
        arguments: 1...6 as ClosedRange<UInt64>)
    func randomWork(seed: UInt64) async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let (service, sink) = try makeService()
        defer { service.stop() }
        var work = RandomSystemCalls(root: directory.path, seed: seed)
        for _ in 0..<200 { work.step() }
        service.track(key("w"), directory: directory.path)
        for round in 0..<60 {
            for _ in 0..<Int(seed * 17 + UInt64(round) * 31) % 400 { work.step() }
            let (figure, truth) = try await service.compare(
                key("w"), with: directory.path, figure: sink.measure)
            #expect(figure == truth, "seed \(seed) round \(round)")
        }
        work.finish()
    }

    @Test("work from several threads while batches run ends in the figure of a full walk")
    func concurrentWork() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let (service, sink) = try makeService()
        defer { service.stop() }
        service.track(key("w"), directory: directory.path)
        let seed = UInt64.random(in: 0..<10_000)
        await withTaskGroup(of: Void.self) { group in
            for offset in 0..<2 as Range<UInt64> {
                group.addTask {
                    var work = RandomSystemCalls(root: directory.path, seed: seed + offset)
                    for _ in 0..<20_000 { work.step() }
                    work.finish()
                }
            }
        }
        let (figure, truth) = try await service.compare(
            key("w"), with: directory.path, figure: sink.measure)
        #expect(figure == truth, "seed \(seed)")
    }

    @Test("ten thousand levels, and names of 255 bytes that are no text, are counted")
    func deepTree() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let name = String(repeating: "d", count: 200)
        // Built by a shell that changes into each level, for no path reaches them.
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/perl")
        process.arguments = [
            "-e",
            "chdir $ARGV[0]; for (1..3000) { mkdir $ARGV[1]; chdir $ARGV[1]; } open F, '>', \"\\xff\\n\" x 100; print F 'x' x 5000;",
            directory.path, name,
        ]
        try process.run()
        process.waitUntilExit()
        let (service, sink) = try makeService()
        defer { service.stop() }
        service.track(key("w"), directory: directory.path)
        #expect(await service.barrier(deadlineMilliseconds: 30_000) == [])
        #expect(sink.measure(key("w"))?.inodes == 3002)
        #expect(sink.measure(key("w"))?.sizeBytes == 5000)
        service.forget(key("w"))
        let remove = Process()
        remove.executableURL = URL(fileURLWithPath: "/bin/rm")
        remove.arguments = ["-rf", directory.path]
        try remove.run()
        remove.waitUntilExit()
    }

    @Test("when watches run out a layer is polled, says so, and has its figure")
    func watchesRunOut() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        for index in 0..<20 {
            try FileManager.default.createDirectory(
                atPath: directory.path + "/\(index)", withIntermediateDirectories: false)
        }
        let (service, sink) = try makeService(TrackingOptions(watchLimit: 10))
        defer { service.stop() }
        service.track(key("w"), directory: directory.path)
        let unsettled = await service.barrier(deadlineMilliseconds: 10_000)
        #expect(unsettled == [key("w")])
        try await wait(until: "the report") {
            if case .measured(_, .polling) = sink.outcome(key("w")) { true } else { false }
        }
        #expect(try sink.measure(key("w")) == oracle(directory.path))
    }

    @Test("a layer for which no inotify instance could be had is polled until one can")
    func noInstance() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let isOpenable = Atomic(false)
        let sink = LastReports()
        let service = try TrackingService(options: TrackingOptions(pollSeconds: 1), sink: sink) {
            () throws(KernelError) in
            guard isOpenable.load(ordering: .relaxed) else {
                throw KernelError(call: "inotify_init1", errno: .tooManyOpenFiles)
            }
            return try Inotify()
        }
        service.start()
        defer { service.stop() }
        service.track(key("w"), directory: directory.path)
        for round in 0..<2 {
            try Data(repeating: 1, count: 5_000).write(to: URL(fileURLWithPath: directory("\(round)")))
            try await wait(until: "the figure of a poll") {
                guard case .measured(let measure, .polling(let reason, 1)) = sink.outcome(key("w")) else {
                    return false
                }
                #expect(reason.contains("fs.inotify.max_user_instances"))
                return try measure.total == oracle(directory.path)
            }
            #expect(await service.barrier(deadlineMilliseconds: 10_000) == [key("w")])
        }
        isOpenable.store(true, ordering: .relaxed)
        try await wait(until: "an exact figure") {
            if case .measured(_, .exact) = sink.outcome(key("w")) { true } else { false }
        }
        #expect(await service.barrier(deadlineMilliseconds: 10_000) == [])
        #expect(try sink.measure(key("w")) == oracle(directory.path))
    }

    @Test("a layer whose events do not tell all is looked at each poll, says so, and is right after one")
    func silentLayer() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let (service, sink) = try makeService(TrackingOptions(pollSeconds: 1))
        defer { service.stop() }
        let path = directory.path + "/mapped"
        try Data(repeating: 1, count: 100).write(to: URL(fileURLWithPath: path))
        service.track(key("w"), directory: directory.path, silence: "deaf")
        try await wait(until: "the report") {
            sink.outcome(key("w")).map {
                if case .measured(_, .polling(reason: "deaf", seconds: 1)) = $0 { true } else { false }
            } ?? false
        }
        // A store into mapped memory has no event as long as the file is open.
        let descriptor = open(path, O_RDWR)
        defer { close(descriptor) }
        #expect(ftruncate(descriptor, 1 << 20) == 0)
        let memory = mmap(nil, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        defer { munmap(memory, 1 << 20) }
        memory?.storeBytes(of: 7, toByteOffset: 1 << 19, as: UInt8.self)
        try await wait(until: "the figure of a walk") {
            try sink.measure(key("w")) == oracle(directory.path)
        }
        #expect(service.counters.corrections == 0)
    }

    @Test("a layer of more files than there is memory for is polled, and others are not")
    func manyFiles() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        for (name, count) in [("large", 12_000), ("small", 10)] {
            let path = directory.path + "/" + name
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            for index in 0..<count { #expect(symlink("x", path + "/\(index)") == 0) }
        }
        let (service, sink) = try makeService(TrackingOptions(inodeLimit: 20_000))
        defer { service.stop() }
        service.track(key("large"), directory: directory.path + "/large")
        service.track(key("small"), directory: directory.path + "/small")
        try await wait(until: "both figures") {
            sink.measure(key("large")) != nil && sink.measure(key("small")) != nil
        }
        guard case .measured(_, .polling) = sink.outcome(key("large")),
            case .measured(_, .exact) = sink.outcome(key("small"))
        else {
            Issue.record("\(String(describing: [sink.outcome(key("large")), sink.outcome(key("small"))]))")
            return
        }
        #expect(try sink.measure(key("large")) == oracle(directory.path + "/large"))
    }

    @Test("a layer whose directory is not there fails with its name, and is found when it comes")
    func missingDirectory() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let (service, sink) = try makeService()
        defer { service.stop() }
        service.track(key("w"), directory: directory.path + "/late")
        try await wait(until: "the report") {
            if case .failed(let reason) = sink.outcome(key("w")) { reason.contains("late") } else { false }
        }
        try FileManager.default.createDirectory(
            atPath: directory.path + "/late", withIntermediateDirectories: false)
        try await wait(until: "a figure") { sink.measure(key("w")) != nil }
        #expect(try sink.measure(key("w")) == oracle(directory.path + "/late"))
    }

    @Test("a scan and the tracker agree on hard links, also those that lead outside")
    func hardLinks() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let inside = directory.path + "/in"
        try FileManager.default.createDirectory(atPath: inside, withIntermediateDirectories: false)
        try Data(repeating: 1, count: 10_000).write(to: URL(fileURLWithPath: inside + "/a"))
        #expect(link(inside + "/a", inside + "/b") == 0)
        try Data(repeating: 1, count: 5_000).write(to: URL(fileURLWithPath: inside + "/c"))
        #expect(link(inside + "/c", directory.path + "/outside") == 0)
        let (service, sink) = try makeService()
        defer { service.stop() }
        service.track(key("w"), directory: inside)
        #expect(await service.barrier(deadlineMilliseconds: 10_000) == [])
        let scanned = try LayerScanner.measure(path: inside).measure
        guard case .measured(let tracked, .exact) = sink.outcome(key("w")) else {
            Issue.record("not measured")
            return
        }
        #expect(tracked == scanned)
        #expect(scanned.linkedOutside.count == 1)
        #expect(try scanned.total == oracle(inside))
    }
}
