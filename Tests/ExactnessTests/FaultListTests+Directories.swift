import Accounting
import Foundation
import Glibc
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

extension FaultListTests {
    @Test(
        "1: chains of directories with files in them, made in a tight loop, are counted",
        arguments: [Configuration.Way.plain, .overlay])
    func chains(way: Configuration.Way) async throws {
        try await FollowedLayer.with(way) { layer in
            try await layer.settle()
            try await layer.sh(
                """
                i=0; while [ $i -lt 150 ]; do mkdir -p x$i/b/c/d/e/f; \
                echo one > x$i/b/c/d/e/f/file; echo two > x$i/b/c/file; i=$((i+1)); done
                """)
            try await layer.compare()
            #expect(layer.reports.measure(FollowedLayer.key)?.inodes ?? 0 >= 150 * 8)
        }
    }

    @Test(
        "5: directories that are renamed within, out of and into the layer, over others and for each other, are counted",
        arguments: [false, true])
    func renames(duringFirstScan: Bool) async throws {
        try await FollowedLayer.with(prepare: { layer in
            for index in 0..<300 {
                mkdir("\(layer.path)/\(index)", 0o755)
                mkdir("\(layer.path)/\(index)/below", 0o755)
                try Data(repeating: 7, count: 100 * index).write(
                    to: URL(fileURLWithPath: "\(layer.path)/\(index)/below/file"))
            }
        }) { layer in
            if !duringFirstScan { try await layer.settle() }
            let (root, outside) = (layer.path, layer.outside)
            var generator = SeededGenerator(seed: 5)
            for round in 0..<2_000 {
                let first = "\(root)/\(Int.random(in: 0..<300, using: &generator))"
                let second = "\(root)/\(Int.random(in: 0..<300, using: &generator))"
                switch round % 6 {
                case 0: rename(first, "\(outside)/\(round % 60)")
                case 1: rename("\(outside)/\((round - 1) % 60)", first)
                case 2: rename(first, second + "/moved")
                case 3: rename(second + "/moved", first)
                case 4:
                    // The parent goes while events of what is in it wait.
                    try? Data(repeating: 7, count: round).write(
                        to: URL(fileURLWithPath: first + "/below/new"))
                    rename(first, second + "/below/parent")
                default:
                    FileCalls.exchange(first, second)
                    rename(second + "/below/new", second + "/below/file")
                }
            }
            try await layer.compare()
        }
    }

    @Test("11: a directory that held five thousand names costs what the file system says, full and emptied")
    func emptied() async throws {
        for kind in LoopFileSystem.Kind.allCases where kind.obstacle == nil {
            try await FollowedLayer.with(on: kind) { layer in
                mkdir(layer.path + "/many", 0o755)
                try await layer.settle()
                for index in 0..<5_000 { _ = symlink("x", "\(layer.path)/many/name\(index)") }
                try await layer.compare("\(kind), full", isWrittenBack: true)
                for index in 0..<5_000 { unlink("\(layer.path)/many/name\(index)") }
                try await layer.compare("\(kind), emptied", isWrittenBack: true)
            }
        }
    }

    @Test("14: a layer that is removed while it is looked at fails with its name, and others go on")
    func removed() async throws {
        try await FollowedLayer.with(prepare: { layer in
            for index in 0..<2_000 { mkdir("\(layer.path)/\(index)", 0o755) }
        }) { layer in
            try await Command.output(["rm", "-rf", layer.path])
            try await wait(until: "the failure", deadline: .seconds(60)) {
                _ = await layer.service.barrier()
                if case .failed(let reason) = layer.reports.outcome(FollowedLayer.key) {
                    return reason.contains(layer.path)
                }
                return false
            }
            #expect(await layer.service.barrier() == [FollowedLayer.key])
            // It comes again, as that of a container that is made anew.
            try FileManager.default.createDirectory(atPath: layer.path, withIntermediateDirectories: true)
            try Data(repeating: 7, count: 5_000).write(to: URL(fileURLWithPath: layer.path + "/new"))
            try await layer.compare()
        }
    }

    @Test(
        "14: a file system that is unmounted under its watches is not called exact, and is found when it is back"
    )
    func unmounted() async throws {
        let kind = LoopFileSystem.Kind.ext4
        if let obstacle = kind.obstacle { try Test.cancel("\(obstacle)") }
        let fileSystem = try await LoopFileSystem.make(kind)
        let reports = PausableReports()
        let service = try TrackingService(sink: reports)
        service.start()
        defer { service.stop() }
        do {
            let layer = fileSystem.path + "/layer"
            try FileManager.default.createDirectory(atPath: layer, withIntermediateDirectories: true)
            try Data(repeating: 7, count: 50_000).write(to: URL(fileURLWithPath: layer + "/file"))
            service.track(FollowedLayer.key, directory: layer)
            let (figure, truth) = try await service.compare(
                FollowedLayer.key, with: layer, figure: reports.measure)
            #expect(figure == truth)
            try await fileSystem.unmount()
            try await wait(until: "the failure", deadline: .seconds(60)) {
                _ = await service.barrier()
                if case .failed = reports.outcome(FollowedLayer.key) { return true }
                return false
            }
            try await fileSystem.mount()
            try Data(repeating: 7, count: 70_000).write(to: URL(fileURLWithPath: layer + "/other"))
            let (again, newTruth) = try await service.compare(
                FollowedLayer.key, with: layer, figure: reports.measure)
            #expect(again == newTruth)
        } catch {
            try? await fileSystem.remove()
            throw error
        }
        try await fileSystem.remove()
    }

    @Test("14: a directory that is found at its new place first keeps its watch and what is in it")
    func reowned() async throws {
        try await FollowedLayer.with(prepare: { layer in
            for name in ["a", "a/deep", "b"] { mkdir("\(layer.path)/\(name)", 0o755) }
        }) { layer in
            try await layer.settle()
            for round in 0..<200 {
                let (from, to) = round.isMultiple(of: 2) ? ("a", "b") : ("b", "a")
                rename("\(layer.path)/\(from)/deep", "\(layer.path)/\(to)/deep")
                try Data(repeating: 7, count: round * 100).write(
                    to: URL(fileURLWithPath: "\(layer.path)/\(to)/deep/\(round % 7)"))
                if round.isMultiple(of: 20) { try await layer.compare("round \(round)") }
            }
            try await layer.compare()
        }
    }

    @Test("16: names with a newline, of no encoding and of 255 bytes are counted, moved and forgotten")
    func names() async throws {
        try await FollowedLayer.with { layer in
            let names: [FileName] = [
                FileName("two\nlines"), FileName(bytes: [0xff, 0xfe, 0x80]), FileName("\u{1b}[2J"),
                FileName(bytes: Array(repeating: 0xe4, count: 255)), FileName("-rf"), FileName("*"),
            ]
            try await layer.settle()
            let root = open(layer.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            defer { close(root) }
            for name in names {
                let file = name.withCString { openat(root, $0, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644) }
                #expect(file >= 0)
                #expect(write(file, "content", 7) == 7)
                close(file)
            }
            try await layer.compare()
            #expect(layer.reports.measure(FollowedLayer.key)?.inodes == Int64(names.count) + 1)
            for name in names {
                name.withCString { from in
                    FileName(bytes: name.bytes.reversed()).withCString { to in
                        _ = renameat(root, from, root, to)
                    }
                }
            }
            try await layer.compare()
            for name in names {
                FileName(bytes: name.bytes.reversed()).withCString { _ = unlinkat(root, $0, 0) }
            }
            try await layer.compare()
            #expect(layer.reports.measure(FollowedLayer.key)?.inodes == 1)
        }
    }
}
