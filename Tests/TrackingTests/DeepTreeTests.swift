import Accounting
import Foundation
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

/// Trees that are deeper than a path can be long.
@Suite("Deep trees")
struct DeepTreeTests {
    private let key = LayerKey(
        store: StoreIdentity(engine: "test", driver: "directory", root: "/"), id: "deep")

    /// A chain of directories with a file at its end, and on each level a directory with a file beside it.
    private func makeComb(_ levels: Int, in scratch: ScratchDirectory) async throws -> Measure {
        try await Command.output([
            "perl", "-e",
            """
            sub file { open F, '>', $_[0] or die; print F 'x' x 3000; close F }
            chdir $ARGV[0] or die;
            my $name = 'a' x 200;
            for (1..$ARGV[1]) { mkdir 'b'; file('b/f'); mkdir $name or die; chdir $name or die }
            file('f');
            """, scratch.path, "\(levels)",
        ])
        // No path leads to the end of it, so the walk by paths cannot be the oracle.
        let bytes = try await DiskUsage.du(scratch.path)
        return Measure(diskBytes: bytes, sizeBytes: Int64(levels + 1) * 3000, inodes: Int64(3 * levels + 2))
    }

    /// To remove ten thousand levels takes the kernel most of a minute.
    private static var levels: Int {
        ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] == nil ? 300 : 10_000
    }

    @Test("a walk and the tracker find the same as du at hundreds of levels with a branch on each")
    func comb() async throws {
        let scratch = try ScratchDirectory("deep")
        do {
            let truth = try await makeComb(Self.levels, in: scratch)
            let scanned = try await scan(scratch.path)
            #expect(scanned.measure.total == truth)
            let sink = LastReports()
            let service = try TrackingService(sink: sink)
            service.start()
            defer { service.stop() }
            service.track(key, directory: scratch.path)
            #expect(await service.barrier(seconds: 60) == [])
            #expect(sink.measure(key) == truth)
        } catch {
            try? await scratch.remove()
            throw error
        }
        try await scratch.remove()
    }

    @Test("a layer that is deeper than places are looked at in is counted in passes and says so")
    func tooDeep() async throws {
        let scratch = try ScratchDirectory("deep")
        do {
            let truth = try await makeComb(60, in: scratch)
            let sink = LastReports()
            let service = try TrackingService(options: options(depthLimit: 50), sink: sink)
            service.start()
            defer { service.stop() }
            service.track(key, directory: scratch.path)
            try await wait(until: "the figure of a pass") {
                guard case .measured(let measure, .polling(let reason, _)) = sink.outcome(key) else {
                    return false
                }
                #expect(reason.contains("50 levels"))
                return measure.total == truth
            }
            #expect(await service.barrier() == [key])
        } catch {
            try? await scratch.remove()
            throw error
        }
        try await scratch.remove()
    }

    private func options(depthLimit: Int) -> TrackingOptions {
        var options = TrackingOptions()
        options.depthLimit = depthLimit
        return options
    }

    /// A tree of numbers: each directory's parent and depth.
    private struct Model {
        var parents: [Int] = [-1]
        var depths: [Int] = [0]

        mutating func add(below parent: Int) -> Int {
            parents.append(parent)
            depths.append(depths[parent] + 1)
            return parents.count - 1
        }

        /// Each directory once, those below one before the next beside it, as a walk goes.
        var walk: [Int] {
            var children = parents.map { _ in [Int]() }
            for (child, parent) in parents.enumerated().dropFirst() { children[parent].append(child) }
            var stack = [0]
            var order: [Int] = []
            while let directory = stack.popLast() {
                order.append(directory)
                stack += children[directory]
            }
            return order
        }
    }

    /// Opens directories in an order; returns how many levels were passed, and how many were open at most.
    private func open(_ order: [Int], in model: Model) throws -> (levels: Int, held: Int) {
        final class Held {
            let directory: Int
            let count: Counter
            init(_ directory: Int, _ count: Counter) {
                self.directory = directory
                self.count = count
                count.now += 1
                count.most = max(count.most, count.now)
            }
            deinit { count.now -= 1 }
        }
        final class Counter {
            var now = 0
            var most = 0
        }
        let count = Counter()
        var levels = 0
        var opened = OpenAncestors(root: 0, Held(0, count))
        for directory in order {
            let handle = try opened.open(directory) {
                (model.parents[$0], FileName("\($0)"))
            } by: { (path, above) in
                var current = above.directory
                for name in path {
                    let next = Int(name.escaped) ?? -1
                    #expect(model.parents[next] == current)
                    current = next
                }
                levels += path.count
                return Held(current, count)
            }
            #expect(handle.directory == directory)
            #expect(opened.depth == model.depths[directory])
        }
        return (levels, count.most)
    }

    @Test("a walk passes few levels for each directory, and holds few open, whatever the shape of the tree")
    func ancestors() throws {
        var chain = Model()
        for _ in 0..<20_000 { _ = chain.add(below: chain.parents.count - 1) }
        // On each level of the chain a branch; a long one spoils what is kept of the last levels.
        func comb(_ levels: Int, teeth: Int) -> Model {
            var comb = Model()
            var spine = 0
            for _ in 0..<levels {
                var tooth = spine
                for _ in 0..<teeth { tooth = comb.add(below: tooth) }
                spine = comb.add(below: spine)
            }
            return comb
        }
        let seed = UInt64.random(in: 0..<1_000_000)
        var generator = SeededGenerator(seed: seed)
        var random = Model()
        for _ in 0..<20_000 {
            let latest = random.parents.count - 1
            _ = random.add(below: Int.random(in: max(0, latest - 10)...latest, using: &generator))
        }
        for (name, model) in [
            ("chain", chain), ("fine comb", comb(10_000, teeth: 1)), ("comb", comb(1_000, teeth: 20)),
            ("random", random),
        ] {
            let walk = model.walk
            let cost = try open(walk, in: model)
            #expect(cost.levels < 40 * walk.count, "\(name), seed \(seed): \(cost)")
            #expect(cost.held < 100, "\(name), seed \(seed): \(cost)")
        }
        let far = (0..<200).map { _ in Int.random(in: 0..<random.parents.count, using: &generator) }
        _ = try open(far + [0] + far, in: random)
    }

    private func scan(_ path: String) async throws -> LayerScanner.Result {
        try await onThread { try LayerScanner.measure(path: path) }
    }
}
