import Accounting
import Foundation
import Glibc
import Kernel
import Testing
import Tracking
import UsageTestKit

/// Files that share blocks, on file systems that let them: `df` is the oracle, which counts each block once.
@Suite("Blocks that files share", .enabled(if: SharedBlocks.obstacle == nil, "needs root and loop devices"))
struct ExtentSurveyTests {
    @Test(
        "what is charged elsewhere is what du has more than df", arguments: [LoopFileSystem.Kind.xfs, .btrfs])
    func reflinks(kind: LoopFileSystem.Kind) async throws {
        try await LoopFileSystem.with(kind) { try await check($0) }
    }

    private func check(_ disk: LoopFileSystem) async throws {
        let store = StoreIdentity(engine: "e", driver: "d", root: disk.path)
        let holders = ["a", "b", "c"].map {
            ExtentSurvey.Holder(key: LayerKey(store: store, id: $0), directory: "\(disk.path)/\($0)")
        }
        #expect(ExtentSurvey.mayShare(try FileSystemStatus.of(path: disk.path)))
        try await run("mkdir a b c", in: disk)
        let empty = try await usage(disk, holders)
        try await run("head -c 9000000 /dev/urandom >a/one; head -c 3000000 /dev/urandom >b/own", in: disk)
        var survey = try ExtentSurvey.run(holders)
        #expect(survey.chargedElsewhere.isEmpty && survey.isComplete)
        func compare(_ step: String) async throws -> SharedExtents {
            let usage = try await usage(disk, holders)
            let survey = try ExtentSurvey.run(holders)
            let counted = usage.du - empty.du - survey.chargedElsewhere.values.reduce(0, +)
            // Trees of extents and checksums grow as well.
            let slack = 1_500_000 as Int64
            #expect(abs(usage.df - empty.df - counted) < slack, "\(step): \(usage), \(survey)")
            return survey
        }
        try await run("cp --reflink=always a/one b/copy; cp --reflink=always a/one b/again", in: disk)
        survey = try await compare("two copies")
        // The first in order pays; a layer that has it twice pays for neither.
        let whole = try FullWalk(walking: "\(disk.path)/a/one").diskBytes
        #expect(survey.chargedElsewhere == [holders[1].key: 2 * whole])
        try await run("dd if=/dev/urandom of=b/copy bs=1000000 count=4 conv=notrunc", in: disk)
        survey = try await compare("a part overwritten")
        #expect(try #require(survey.chargedElsewhere[holders[1].key]) < 2 * whole)
        try await run("ln a/one a/name; cp --reflink=always b/copy c/third; rm a/one a/name", in: disk)
        survey = try await compare("the first gone")
        #expect(survey.chargedElsewhere[holders[0].key] == nil)
        #expect(survey.chargedElsewhere[holders[2].key] != nil)
    }

    private func usage(
        _ disk: LoopFileSystem, _ holders: [ExtentSurvey.Holder]
    ) async throws -> (df: Int64, du: Int64) {
        try await Command.output(["sync", "--file-system", disk.path])
        let du = try holders.map { try FullWalk(walking: $0.directory).diskBytes }.reduce(0, +)
        return (try FileSystemStatus.of(path: disk.path).usedBytes, du)
    }

    private func run(_ script: String, in disk: LoopFileSystem) async throws {
        try await Command.output(["sh", "-ec", "cd \(disk.path); \(script); sync --file-system ."])
    }
}

private enum SharedBlocks {
    static var obstacle: String? {
        [LoopFileSystem.Kind.xfs, .btrfs].compactMap(\.obstacle).first
    }
}
