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
        try await Command.output([
            "perl", "-e",
            "chdir $ARGV[0]; for (1..3000) { mkdir $ARGV[1]; chdir $ARGV[1]; } open F, '>', \"\\xff\\n\" x 100; print F 'x' x 5000;",
            directory.path, name,
        ])
        let (service, sink) = try makeService()
        defer { service.stop() }
        service.track(key("w"), directory: directory.path)
        #expect(await service.barrier(seconds: 30) == [])
        #expect(sink.measure(key("w"))?.inodes == 3002)
        #expect(sink.measure(key("w"))?.sizeBytes == 5000)
        service.forget(key("w"))
        try await Command.output(["rm", "-rf", directory.path])
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
        let unsettled = await service.barrier()
        #expect(unsettled == [key("w")])
        try await wait(until: "the report") {
            if case .measured(_, .polling) = sink.outcome(key("w")) { true } else { false }
        }
        #expect(try sink.measure(key("w")) == FullWalk(walking: directory.path).total)
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
                return try measure.total == FullWalk(walking: directory.path).total
            }
            #expect(await service.barrier() == [key("w")])
        }
        isOpenable.store(true, ordering: .relaxed)
        try await wait(until: "an exact figure") {
            if case .measured(_, .exact) = sink.outcome(key("w")) { true } else { false }
        }
        #expect(await service.barrier() == [])
        #expect(try sink.measure(key("w")) == FullWalk(walking: directory.path).total)
    }

    @Test("between two batches no directory of a layer is held open")
    func openDirectories() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        #expect(mkdir(directory("sub"), 0o755) == 0)
        let (service, sink) = try makeService()
        defer { service.stop() }
        service.track(key("w"), directory: directory.path)
        for size in [1_000, 2_000] {
            try Data(repeating: 1, count: size).write(to: URL(fileURLWithPath: directory("sub/file")))
            #expect(await service.barrier() == [])
            #expect(try sink.measure(key("w")) == FullWalk(walking: directory.path).total)
            try await wait(until: "the end of the batch") {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").allSatisfy {
                    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?
                        .hasPrefix(directory.path) != true
                }
            }
        }
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
            try sink.measure(key("w")) == FullWalk(walking: directory.path).total
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
        let (service, sink) = try makeService(TrackingOptions(pollSeconds: 1, inodeLimit: 20_000))
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
        #expect(try sink.measure(key("large")) == FullWalk(walking: directory.path + "/large").total)
        // Passes go on, and the thread that follows the others does not try in vain.
        let before = service.counters
        try await wait(until: "three passes") { service.counters.looks > before.looks + 36_000 }
        #expect(service.counters.fullLooks == before.fullLooks)
        for index in 0..<11_000 { #expect(unlink(directory.path + "/large/\(index)") == 0) }
        try await wait(until: "events again") {
            if case .measured(_, .exact) = sink.outcome(key("large")) { true } else { false }
        }
        #expect(await service.barrier() == [])
        #expect(try sink.measure(key("large")) == FullWalk(walking: directory.path + "/large").total)
    }

    @Test("a file with more names than there is memory for is polled, and is followed when they went")
    func manyNames() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let file = try directory.write("x", to: "file")
        for index in 0..<12_000 { #expect(link(file, directory("\(index)")) == 0) }
        let (service, sink) = try makeService(TrackingOptions(pollSeconds: 1, inodeLimit: 20_000))
        defer { service.stop() }
        service.track(key("w"), directory: directory.path)
        try await wait(until: "a figure") { sink.measure(key("w")) != nil }
        guard case .measured(_, .polling) = sink.outcome(key("w")) else {
            Issue.record("\(String(describing: sink.outcome(key("w"))))")
            return
        }
        #expect(try sink.measure(key("w")) == FullWalk(walking: directory.path).total)
        let before = service.counters
        try await wait(until: "three passes") { service.counters.looks > before.looks + 36_000 }
        #expect(service.counters.fullLooks == before.fullLooks)
        for index in 0..<11_000 { #expect(unlink(directory("\(index)")) == 0) }
        try await wait(until: "events again") {
            if case .measured(_, .exact) = sink.outcome(key("w")) { true } else { false }
        }
        #expect(await service.barrier() == [])
        #expect(try sink.measure(key("w")) == FullWalk(walking: directory.path).total)
    }

    @Test("a directory of very many files has its figure, and costs the layer beside it nothing")
    func oneDirectory() async throws {
        let isLong = ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] != nil
        let count = isLong ? 1_000_000 : 20_000
        let directory = try ScratchDirectory("track")
        do {
            for name in ["large", "small"] { try directory.directory(name) }
            let (service, sink) = try makeService(TrackingOptions(pollSeconds: 1, shards: 1))
            defer { service.stop() }
            for name in ["large", "small"] { service.track(key(name), directory: directory(name)) }
            #expect(await service.barrier() == [])
            let writer = try await ChildProcess.start(
                ["perl", "-e", "chdir $ARGV[0]; for (1..$ARGV[1]) { open F, '>', $_; close F }"]
                    + [directory("large"), "\(count)"], diesWithParent: true)
            var round = 0
            var late = 0
            while writer.exit == nil || round < 3 {
                round += 1
                try directory.write(String(repeating: "x", count: round * 100), to: "small/file")
                let unsettled = await service.barrier()
                // One look at half a million files can outlast the time, which is told.
                guard let unsettled else {
                    late += 1
                    continue
                }
                #expect(!unsettled.contains(key("small")))
                #expect(sink.measure(key("small"))?.sizeBytes == Int64(round * 100))
            }
            #expect(late <= (isLong ? 5 : 0))
            try await wait(until: "the figure of all files", deadline: .seconds(isLong ? 300 : 60)) {
                sink.measure(key("large"))?.inodes == Int64(count + 1)
            }
            if isLong {
                guard case .measured(_, .polling) = sink.outcome(key("large")) else {
                    Issue.record("\(String(describing: sink.outcome(key("large"))))")
                    return
                }
            } else {
                #expect(await service.barrier() == [])
                #expect(try sink.measure(key("large")) == FullWalk(walking: directory("large")).total)
            }
        } catch {
            try? await directory.remove()
            throw error
        }
        try await directory.remove()
    }

    @Test("a layer that found no room in memory is followed when another leaves some")
    func roomComesBack() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let names = ["a", "b", "c"]
        for name in names {
            #expect(mkdir(directory(name), 0o755) == 0)
            for index in 0..<12_000 { #expect(symlink("x", directory("\(name)/\(index)")) == 0) }
        }
        let (service, sink) = try makeService(TrackingOptions(pollSeconds: 1, inodeLimit: 30_000))
        defer { service.stop() }
        func isPolled(_ name: String) -> Bool {
            guard case .measured(_, .polling(let reason, 1)) = sink.outcome(key(name)) else { return false }
            #expect(reason.contains("memory"))
            return true
        }
        for name in names {
            service.track(key(name), directory: directory(name))
            try await wait(until: "the figure of \(name)") { sink.measure(key(name)) != nil }
        }
        #expect(names.map(isPolled) == [false, false, true])
        try Data(repeating: 1, count: 5_000).write(to: URL(fileURLWithPath: directory("c/more")))
        try await wait(until: "the figure of a poll") {
            try isPolled("c") && sink.measure(key("c")) == FullWalk(walking: directory("c")).total
        }
        service.forget(key("a"))
        try await wait(until: "an exact figure") {
            if case .measured(_, .exact) = sink.outcome(key("c")) { true } else { false }
        }
        #expect(await service.barrier() == [])
        #expect(try sink.measure(key("c")) == FullWalk(walking: directory("c")).total)
    }

    @Test("a layer that is polled does not wait until every immutable layer is measured")
    func pollAmongScans() async throws {
        let directory = try ScratchDirectory("track")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let names = (0..<200).map { "image\($0)" }
        for name in names + ["w"] {
            #expect(mkdir(directory(name), 0o755) == 0)
            for index in 0..<20 { #expect(symlink("x", directory("\(name)/\(index)")) == 0) }
        }
        /// Holds the scanners up after ten layers.
        final class Order: TrackingSink {
            let keys = Mutex<[String]>([])
            let isReleased = Atomic(false)

            func take(_ report: LayerReport) {
                guard case .measured = report.outcome else { return }
                let count = keys.withLock { keys in
                    keys.append(report.key.id)
                    return keys.count
                }
                while count >= 10, !isReleased.load(ordering: .relaxed) { usleep(1_000) }
            }
        }
        let order = Order()
        let service = try TrackingService(options: TrackingOptions(watchLimit: 0), sink: order)
        for name in names { service.measure(key(name), directory: directory(name)) }
        service.track(key("w"), directory: directory("w"))
        // The shard asks for the poll while the scanners are not there yet.
        service.startShards()
        try await wait(until: "the poll to be queued") { service.isPollQueued }
        service.startScanners()
        defer {
            order.isReleased.store(true, ordering: .relaxed)
            service.stop()
        }
        try await wait(until: "the figure of the poll", deadline: .seconds(20)) {
            order.keys.withLock { $0.contains("w") }
        }
        order.isReleased.store(true, ordering: .relaxed)
        try await wait(until: "all figures", deadline: .seconds(60)) {
            order.keys.withLock { Set($0).count == names.count + 1 }
        }
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
        #expect(try sink.measure(key("w")) == FullWalk(walking: directory.path + "/late").total)
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
        #expect(await service.barrier() == [])
        let scanned = try LayerScanner.measure(path: inside).measure
        guard case .measured(let tracked, .exact) = sink.outcome(key("w")) else {
            Issue.record("not measured")
            return
        }
        #expect(tracked == scanned)
        #expect(scanned.linkedOutside.count == 1)
        #expect(try scanned.total == FullWalk(walking: inside).total)
    }
}
