import Accounting
import Foundation
import Glibc
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

/// What Linux 4.19 to 6.4 tell: nothing comes of data to the watches of an upper directory.
@Suite(
    "Layers that are told of data by their mounts alone", .serialized,
    .enabled(if: geteuid() == 0, "needs root, to mount"))
struct MergedTests {
    private let key = LayerKey(
        store: StoreIdentity(engine: "test", driver: "overlay2", root: "/"), id: "w")

    /// A layer in its overlay, and a service that is told nothing of data by its upper directory.
    private struct World {
        let directory: ScratchDirectory
        let overlay: ScratchOverlay
        let sink = LastReports()
        let service: TrackingService
        var place: OverlayMount { OverlayMount(merged: overlay.merged, work: overlay.work) }

        init(_ options: TrackingOptions = TrackingOptions()) throws {
            var options = options
            options.watchMask = KernelFileSystem.mask.subtracting(.data)
            directory = try ScratchDirectory("merged")
            overlay = try ScratchOverlay(below: directory.path)
            service = try TrackingService(options: options, sink: sink)
            service.start()
        }

        func remove() async throws {
            service.stop()
            overlay.unmount()
            try await directory.remove()
        }
    }

    /// Allocated and apparent bytes, without whiteouts, which have none.
    private func oracle(_ path: String) throws -> [Int64] {
        let walk = try FullWalk(walking: path)
        return [walk.diskBytes, walk.sizeBytes]
    }

    private func figure(_ world: World) -> [Int64]? {
        world.sink.measure(key).map { [$0.diskBytes, $0.sizeBytes] }
    }

    private func isExact(_ world: World) -> Bool {
        if case .measured(_, .exact) = world.sink.outcome(key) { true } else { false }
    }

    private func reason(_ world: World) -> String? {
        if case .measured(_, .polling(let reason, _)) = world.sink.outcome(key) { reason } else { nil }
    }

    /// Asks, and returns the truth that held meanwhile: the kernel may write back between barrier and walk.
    private func ask(_ world: World) async throws -> (unsettled: Set<LayerKey>?, truth: [Int64]) {
        var before = try oracle(world.overlay.upper)
        while true {
            let unsettled = await world.service.barrier()
            let truth = try oracle(world.overlay.upper)
            if before == truth { return (unsettled, truth) }
            before = truth
        }
    }

    private func expectExact(_ world: World, _ why: Comment, _ location: SourceLocation = #_sourceLocation)
        async throws
    {
        var (unsettled, truth) = try await ask(world)
        // While ext4 or btrfs write a file back, its status counts blocks too many or too few for a moment.
        if let figure = figure(world), figure != truth, figure[1] == truth[1] {
            try await DiskUsage.sync(world.directory.path)
            (unsettled, truth) = try await ask(world)
        }
        #expect(unsettled == [], why, sourceLocation: location)
        #expect(
            isExact(world), "\(why): \(String(describing: world.sink.outcome(key)))", sourceLocation: location
        )
        try #require(figure(world) == truth, why, sourceLocation: location)
    }

    /// As ``expectExact(_:_:_:)`` once the overlay has ended, or what hid it: a container that starts has its mount for a
    /// moment too.
    private func expectExactAtTheEnd(
        _ world: World, _ why: Comment, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        try await wait(until: "the end of the overlay") {
            await world.service.barrier() == [] && isExact(world)
        }
        try await expectExact(world, why, location)
    }

    /// Writes to a file in a mount that is not followed: the layer's own directory tells of the file, a poll of the rest.
    private func expectFigureOfPolls(_ world: World, _ file: Int32) async throws {
        for source in ["what the layer's directory tells", "the figure of a poll"] {
            #expect(write(file, [UInt8](repeating: 7, count: 40_000), 40_000) == 40_000)
            try await wait(until: source) { try figure(world) == oracle(world.overlay.upper) }
        }
    }

    private func append(_ count: Int, to path: String) {
        let descriptor = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o644)
        defer { close(descriptor) }
        #expect(write(descriptor, [UInt8](repeating: 7, count: count), count) == count)
    }

    // MARK: Random work

    @Test(
        "after a barrier the figure equals a full walk, whatever was done through the mount",
        arguments: ["", ",redirect_dir=on", ",metacopy=on", ",index=on"], 1...2 as ClosedRange<UInt64>)
    func randomWork(options: String, seed: UInt64) async throws {
        let world = try World()
        var below = RandomSystemCalls(root: world.overlay.lower, seed: seed + 100)
        for _ in 0..<300 { below.step() }
        below.finish()
        try world.overlay.mount(options: options)
        world.service.track(key, directory: world.overlay.upper, silence: "deaf", mount: world.place)
        var work = RandomSystemCalls(root: world.overlay.merged, seed: seed)
        for round in 0..<60 {
            for _ in 0..<Int(seed * 17 + UInt64(round) * 31) % 400 { work.step() }
            if round % 7 == 6 {
                work.finish()
                world.overlay.unmount()
                if round % 2 == 0 {
                    try await expectExactAtTheEnd(world, "seed \(seed) round \(round), stopped")
                }
                // With an index there can be one at a time, and a container that starts has a copy for a moment.
                try await wait(until: "the mount") {
                    try world.overlay.mount(options: options)
                    return true
                }
            }
            try await expectExact(world, "options \(options), seed \(seed) round \(round)")
        }
        work.finish()
        try await world.remove()
    }

    @Test("without the watches in the mount the same work leads to a figure that is wrong")
    func withoutMount() async throws {
        let world = try World()
        try world.overlay.mount()
        world.service.track(key, directory: world.overlay.upper)
        var work = RandomSystemCalls(root: world.overlay.merged, seed: 1)
        var wrong = 0
        for round in 0..<20 {
            for _ in 0..<(17 + round * 31) % 400 { work.step() }
            if try await figure(world) != ask(world).truth { wrong += 1 }
        }
        work.finish()
        #expect(wrong > 0)
        try await world.remove()
    }

    @Test(
        "work in the middle of batches is in the figure after the next barrier",
        arguments: ["", ",redirect_dir=on"], 1...4 as ClosedRange<UInt64>)
    func disturbedBatches(options: String, seed: UInt64) async throws {
        let directory = try ScratchDirectory("merged")
        let overlay = try ScratchOverlay(below: directory.path)
        var below = RandomSystemCalls(root: overlay.lower, seed: seed + 100)
        for _ in 0..<200 { below.step() }
        below.finish()
        try overlay.mount(options: options)
        let files = try DisturbedFileSystem(
            path: overlay.upper, mount: OverlayMount(merged: overlay.merged, work: overlay.work))
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [35], looksPerRelief: 3)
        try files.live(
            with: tracker, in: overlay.merged, layer: overlay.upper, seed: seed, rounds: 120,
            countsInodes: false)
        tracker.release()
        overlay.unmount()
        try await directory.remove()
    }

    @Test("directories that are exchanged and made while batches run are each followed as what they are")
    func concurrentExchanges() async throws {
        let world = try World(TrackingOptions(batchMilliseconds: 1))
        try world.overlay.mount()
        world.service.track(key, directory: world.overlay.upper, silence: "deaf", mount: world.place)
        let root = world.overlay.merged
        for name in ["a", "b", "c"] { try world.directory.directory("merged/\(name)/sub") }
        let seed = UInt64.random(in: 0..<10_000)
        for round in 0..<5 as Range<UInt64> {
            await withTaskGroup(of: Void.self) { group in
                for thread in 0..<2 as Range<UInt64> {
                    group.addTask { Self.exchange(below: root, seed: seed + round * 2 + thread) }
                }
                group.addTask {
                    for _ in 0..<100 { _ = await world.service.barrier() }
                }
            }
            // Writes now, when nothing else tells of the files.
            for name in ["a", "b", "c"] {
                // The last exchange may have put a directory there that has none below it.
                mkdir("\(root)/\(name)/sub", 0o755)
                for name in [name, "\(name)/sub"] { append(700, to: "\(root)/\(name)/f") }
            }
            try await expectExact(world, "seed \(seed) round \(round)")
        }
        try await world.remove()
    }

    /// Exchanges directories and writes to files in them, by names and by descriptors.
    private static func exchange(below root: String, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let names = ["a", "b", "c", "a/sub", "b/sub", "c/sub"].map { "\(root)/\($0)" }
        var open: [Int32] = []
        for _ in 0..<3000 {
            guard let name = names.randomElement(using: &generator),
                let other = names.randomElement(using: &generator)
            else { return }
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                FileCalls.exchange(name, other)
            case 1:
                let file = Glibc.open("\(name)/f", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o644)
                if file >= 0 { open.append(file) }
                if open.count > 3 { close(open.removeFirst()) }
            case 2:
                mkdir("\(name)/sub", 0o755)
            default:
                if let file = open.randomElement(using: &generator) { write(file, "0123456789", 10) }
            }
        }
        for file in open { close(file) }
    }

    // MARK: Mounts

    @Test("a layer is exact before, while and after it is mounted, with the watches that it takes")
    func comesAndGoes() async throws {
        let world = try World()
        append(1000, to: world.overlay.upper + "/f")
        world.service.track(key, directory: world.overlay.upper, silence: "deaf", mount: world.place)
        try await expectExact(world, "not mounted")
        let alone = try #require(world.sink.report(key)?.watches)
        try world.overlay.mount()
        append(10_000, to: world.overlay.merged + "/f")
        try await expectExact(world, "mounted and written to, all at once")
        append(10_000, to: world.overlay.merged + "/f")
        try await expectExact(world, "written to")
        #expect(world.sink.report(key)?.watches == 2 * alone)
        world.overlay.unmount()
        try await expectExactAtTheEnd(world, "stopped")
        try await wait(until: "the watches in the mount to be gone") {
            await world.service.barrier() == []
                && world.sink.report(key)?.watches == alone
        }
        for round in 0..<20 {
            // As quick as a copy into a container that does not run.
            try world.overlay.mount()
            append(5000, to: world.overlay.merged + "/f")
            world.overlay.unmount()
            try await expectExactAtTheEnd(world, "mounted for a moment, \(round)")
        }
        try await world.remove()
    }

    @Test("a mount that comes and goes a while after overlayfs has told of it is not missed")
    func slowMount() async throws {
        let world = try World()
        append(1000, to: world.overlay.upper + "/f")
        // Seen once, so that one that is not there counts as none.
        try world.overlay.mount()
        world.service.track(key, directory: world.overlay.upper, silence: "deaf", mount: world.place)
        try await expectExact(world, "mounted")
        world.overlay.unmount()
        try await expectExactAtTheEnd(world, "stopped")
        let stage = try world.directory.directory("stage")
        for round in 0..<3 {
            // Overlayfs tells when the mount is made, which is before it is at its place.
            #expect(mount("overlay", stage, "overlay", 0, world.overlay.options) == 0)
            try await expectExact(world, "told of, \(round)")
            #expect(mount(stage, world.overlay.merged, nil, UInt(MS_BIND), nil) == 0)
            append(5000, to: world.overlay.merged + "/f")
            world.overlay.unmount()
            // If it was seen in between, it counts as detached as long as it is at the other place.
            let (unsettled, truth) = try await ask(world)
            #expect(unsettled == [key] || figure(world) == truth, "come and gone, \(round)")
            umount2(stage, Int32(MNT_DETACH))
            try await expectExactAtTheEnd(world, "ended, \(round)")
        }
        try await world.remove()
    }

    @Test("a mount that comes is followed without anyone asking")
    func isTold() async throws {
        let world = try World()
        append(1000, to: world.overlay.upper + "/f")
        world.service.track(key, directory: world.overlay.upper, silence: "deaf", mount: world.place)
        try await expectExact(world, "not mounted")
        let alone = try #require(world.sink.report(key)?.watches)
        try world.overlay.mount()
        try await wait(until: "the watches in the mount") { world.sink.report(key)?.watches == 2 * alone }
        append(50_000, to: world.overlay.merged + "/f")
        try await wait(until: "the write to be told") { try figure(world) == oracle(world.overlay.upper) }
        try await world.remove()
    }

    @Test(
        "a mount that cannot be seen leaves a running layer polled, with the reason, and right after a poll")
    func hiddenMount() async throws {
        let world = try World(TrackingOptions(pollSeconds: 1))
        let elsewhere = OverlayMount(merged: world.directory.path + "/elsewhere", work: world.overlay.work)
        try world.directory.directory("elsewhere")
        append(1000, to: world.overlay.upper + "/f")
        world.service.track(key, directory: world.overlay.upper, silence: "deaf", mount: elsewhere)
        try await expectExact(world, "not mounted")
        world.service.setRunning(true, key)
        try world.overlay.mount()
        append(70_000, to: world.overlay.merged + "/f")
        _ = await world.service.barrier()
        let said = try #require(reason(world))
        #expect(said.hasPrefix("deaf; ") && said.contains("/elsewhere cannot be seen here"))
        append(70_000, to: world.overlay.merged + "/f")
        try await wait(until: "the figure of a poll") { try figure(world) == oracle(world.overlay.upper) }
        #expect(reason(world) != nil)
        #expect(world.service.counters.corrections == 0)

        world.overlay.unmount()
        world.service.setRunning(false, key)
        try await wait(until: "an exact figure") {
            await world.service.barrier() == [] && isExact(world)
        }
        try await world.remove()
    }

    @Test("a layer of which mounts would not be told is polled, with the reason, until they are")
    func workDirectoryGone() async throws {
        let world = try World(TrackingOptions(pollSeconds: 1))
        let place = OverlayMount(
            merged: world.overlay.merged, work: world.directory.path + "/not-there-yet")
        append(1000, to: world.overlay.upper + "/f")
        world.service.track(key, directory: world.overlay.upper, silence: "deaf", mount: place)
        try await wait(until: "the reason") {
            _ = await world.service.barrier()
            return reason(world)?.hasPrefix("deaf; mounts of it are not told: ") == true
        }
        append(70_000, to: world.overlay.upper + "/f")
        try await wait(until: "the figure of a poll") { try figure(world) == oracle(world.overlay.upper) }
        try world.directory.directory("not-there-yet")
        // What mounts tell is looked for again when something may have been mounted.
        try world.overlay.mount()
        world.overlay.unmount()
        try await wait(until: "an exact figure") {
            await world.service.barrier() == [] && isExact(world)
        }
        try await world.remove()
    }

    @Test("a layer whose mount is detached while it is in use is polled, and exact when it is no more")
    func detachedMount() async throws {
        let world = try World(TrackingOptions(pollSeconds: 1))
        try world.overlay.mount()
        append(1000, to: world.overlay.merged + "/f")
        world.service.track(key, directory: world.overlay.upper, silence: "deaf", mount: world.place)
        try await expectExact(world, "mounted")
        let user = open(world.overlay.merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        world.overlay.unmount()
        #expect(await world.service.barrier() == [key])
        try await wait(until: "the reason") {
            reason(world)?.contains("detached and still in use") == true
        }
        #expect(mkdirat(user, "new", 0o755) == 0)
        let file = openat(user, "new/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
        try await expectFigureOfPolls(world, file)
        close(file)
        close(user)
        try await expectExactAtTheEnd(world, "ended")
        try await world.remove()
    }

    @Test("a directory of the layer that another mount hides is polled, by its name, until that is gone")
    func hiddenDirectory() async throws {
        let world = try World(TrackingOptions(pollSeconds: 1))
        try world.directory.directory("diff/a/run/lock")
        try world.overlay.mount()
        let run = world.overlay.merged + "/a/run"
        let inside = open(run + "/lock", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(inside) }
        #expect(mount("tmpfs", run, "tmpfs", 0, nil) == 0)
        append(5000, to: run + "/no-part-of-it")
        world.service.track(key, directory: world.overlay.upper, silence: "deaf", mount: world.place)
        try await wait(until: "the reason") {
            _ = await world.service.barrier()
            return reason(world)?.contains("deaf; /a/run cannot be watched in its mount") == true
                || reason(world)?.contains("deaf; /a/run/lock cannot be watched in its mount") == true
        }
        // Who has it open can still write below.
        let file = openat(inside, "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
        try await expectFigureOfPolls(world, file)
        close(file)
        umount2(run, Int32(MNT_DETACH))
        try await expectExactAtTheEnd(world, "uncovered")
        try await world.remove()
    }

    @Test("watches in the mount count in the budget, and a layer that they are too many for is polled")
    func budget() async throws {
        let world = try World(TrackingOptions(watchLimit: 15))
        for index in 0..<8 { try world.directory.directory("diff/d\(index)") }
        world.service.track(key, directory: world.overlay.upper, silence: "deaf", mount: world.place)
        try await expectExact(world, "ten watches with the one of the work directory")
        try world.overlay.mount()
        try await wait(until: "the reason") {
            _ = await world.service.barrier()
            return reason(world)?.contains("tracking.watch_budget") == true
        }
        #expect(try figure(world) == oracle(world.overlay.upper))
        world.service.forget(key)
        try await wait(until: "no watch to be left") { world.service.counters.watches == 0 }
        try await world.remove()
    }

    @Test("a layer whose audits find growth twice that no event told is followed by its mount, and says so")
    func distrust() async throws {
        let world = try World(TrackingOptions(auditSeconds: 1))
        try world.overlay.mount()
        append(1000, to: world.overlay.merged + "/f")
        // By what a probe found the events would tell all.
        world.service.track(key, directory: world.overlay.upper, mount: world.place)
        let (_, truth) = try await ask(world)
        #expect(figure(world) == truth)
        let file = open(world.overlay.merged + "/f", O_WRONLY | O_APPEND | O_CLOEXEC)
        defer { close(file) }
        // Few bytes: a file of more blocks is looked at again for a while after it has changed.
        for audit in 1...100 where world.sink.distrust(key) == nil {
            let corrections = world.service.counters.corrections
            #expect(write(file, [UInt8](repeating: 7, count: 100), 100) == 100)
            try await wait(until: "audit \(audit) to find it") {
                world.service.counters.corrections > corrections
            }
        }
        try await wait(until: "the mount to be followed") {
            await world.service.barrier() == [] && isExact(world)
        }
        #expect(world.sink.distrust(key)?.hasPrefix("two audits in a row") == true)
        for _ in 0..<3 {
            #expect(write(file, [UInt8](repeating: 7, count: 50_000), 50_000) == 50_000)
            try await expectExact(world, "followed by its mount")
        }
        try await world.remove()
    }
}
