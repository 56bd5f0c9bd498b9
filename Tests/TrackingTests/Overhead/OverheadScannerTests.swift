import Accounting
import Foundation
import Testing
import UsageTestKit

@testable import Tracking

@Suite("Walking what engines keep beside their layers")
struct OverheadScannerTests {
    @Test("all but what is excluded is counted, and each group has its own, the inner one first")
    func groups() async throws {
        let scratch = try ScratchDirectory("overhead")
        for path in ["layers/a/diff", "layers/b/diff", "layers/l", "meta/x/y"] { try scratch.directory(path) }
        for (path, size) in [
            ("layers/a/diff/big", 100_000), ("layers/a/link", 26), ("layers/b/diff/big", 200_000),
            ("layers/l/A", 10_000), ("meta/x/y/json", 5_000), ("top", 9_000),
        ] { try scratch.write(String(repeating: "x", count: size), to: path) }
        let fact = OverheadFact(
            directory: scratch.path, excluded: ["layers/*/diff"],
            groups: ["layers/*", "layers/l/*", "meta/x"])
        let measure = try OverheadScanner.measure(fact)
        func walked(_ path: String) throws -> Int64 { try FullWalk(walking: scratch(path)).diskBytes }
        let all = try FullWalk(walking: scratch.path).diskBytes
        #expect(
            try measure.total.total.diskBytes == all - walked("layers/a/diff") - walked("layers/b/diff"))
        #expect(
            Set(measure.groups.keys) == ["layers/a", "layers/b", "layers/l", "layers/l/A", "meta/x"])
        #expect(
            try measure.groups["layers/a"]?.diskBytes == walked("layers/a") - walked("layers/a/diff"))
        #expect(try measure.groups["meta/x"]?.diskBytes == walked("meta/x"))
        let link = try walked("layers/l") - (try #require(measure.groups["layers/l"]).diskBytes)
        #expect(measure.groups["layers/l/A"]?.diskBytes == link)
        try await scratch.remove()
    }

    @Test("what lies beside counts as well, each file once, with groups of its own")
    func beside() async throws {
        let scratch = try ScratchDirectory("beside")
        for path in ["one/meta", "one/inner/own", "two/layers/a"] { try scratch.directory(path) }
        for (path, size) in [
            ("one/meta/x", 5_000), ("one/inner/own/y", 9_000), ("two/layers/a/big", 70_000),
            ("two/z", 20_000),
        ] { try scratch.write(String(repeating: "x", count: size), to: path) }
        try FileManager.default.linkItem(atPath: scratch("one/meta/x"), toPath: scratch("two/linked"))
        let fact = OverheadFact(
            directory: scratch("one"), excluded: ["inner"], groups: ["meta"],
            beside: [
                OverheadFact(directory: scratch("one/inner"), groups: ["own"]),
                OverheadFact(directory: scratch("two"), excluded: ["layers/*"]),
            ])
        let measure = try OverheadScanner.measure(fact)
        let layer = try FullWalk(walking: scratch("two/layers/a")).diskBytes
        let all = try FullWalk(walking: scratch.path).diskBytes
        let scratchItself = all - (try await DiskUsage.du([scratch("one"), scratch("two")]).reduce(0, +))
        #expect(measure.total.total.diskBytes == all - scratchItself - layer)
        #expect(Set(measure.groups.keys) == ["meta", "own"])
        #expect(
            measure.beside[scratch("one/inner")]?.diskBytes
                == (try FullWalk(walking: scratch("one/inner")).diskBytes))
        let linked = try FullWalk(walking: scratch("two/linked")).diskBytes
        #expect(
            measure.beside[scratch("two")]?.diskBytes
                == (try FullWalk(walking: scratch("two")).diskBytes) - layer - linked)
        #expect(fact.directory(ofGroup: "own") == scratch("one/inner"))
        #expect(fact.directory(ofGroup: "meta") == scratch("one"))
        try await scratch.remove()
    }

    @Test("a tree of some entries alone is what those take, whatever comes and goes beside them")
    func selectedEntries() async throws {
        let scratch = try ScratchDirectory("selected")
        try scratch.write("other", to: "config.json")
        try scratch.write(String(repeating: "l", count: 20_000), to: "c-json.log")
        let reports = LastReports()
        let service = try TrackingService(sink: reports)
        service.start()
        let key = LayerKey(store: StoreIdentity(engine: "e", driver: "d", root: scratch.path), id: "log")
        service.track(key, directory: scratch.path, entries: ["c-json.log*", "local-logs"])
        func log() throws -> Measure {
            let paths = try FileManager.default.contentsOfDirectory(atPath: scratch.path).filter {
                $0.hasPrefix("c-json.log") || $0 == "local-logs"
            }
            return try paths.map { name in
                let walk = try FullWalk(walking: scratch(name))
                return Measure(diskBytes: walk.diskBytes, sizeBytes: walk.sizeBytes, inodes: walk.inodes)
            }.sum()
        }
        func check(_ step: String) async throws {
            #expect(await service.barrier() == [], "\(step)")
            #expect(reports.measure(key) == (try log()), "\(step)")
        }
        try await wait(until: "the first look") { reports.measure(key) != nil }
        try await check("at first")
        try scratch.write(String(repeating: "o", count: 50_000), to: "config.json")
        try await check("beside it")
        try FileManager.default.moveItem(atPath: scratch("c-json.log"), toPath: scratch("c-json.log.1"))
        try scratch.write("new", to: "c-json.log")
        try await check("rotated")
        try scratch.directory("local-logs")
        try scratch.write(String(repeating: "n", count: 9_000), to: "local-logs/container.log")
        try await check("a directory of logs")
        try FileManager.default.moveItem(atPath: scratch("c-json.log.1"), toPath: scratch("kept"))
        try await check("renamed to another name")
        service.stop()
        try await scratch.remove()
    }
}
