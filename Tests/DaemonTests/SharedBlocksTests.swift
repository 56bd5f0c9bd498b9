import Foundation
import Testing
import UsageTestKit
import Wire

/// A store on XFS, where copying up a file shares its blocks.
@Suite(
    "blocks that files share, in the daemon's figures", .enabled(if: geteuid() == 0, "mounting needs root"))
struct SharedBlocksTests {
    @Test("a shared block is in one class once, du's figure of a container stays, and reclaim has its doubts")
    func shared() async throws {
        try await LoopFileSystem.with(.xfs) { try await check($0) }
    }

    private func check(_ disk: LoopFileSystem) async throws {
        let root = disk.path + "/plain"
        try await Command.output([
            "sh", "-ec",
            """
            mkdir -p \(root)/one \(root)/two; cd \(root)
            head -c 20000000 /dev/urandom >one/file; cp --reflink=always one/file two/file; sync --file-system .
            """,
        ])
        try await withDaemon(["plain=\(root)"], configuration: "") { daemon in
            let query = daemon.query
            let status = try await query.exactStatus()
            let shared = try FullWalk(walking: root + "/one/file").diskBytes
            let du = try await ["one", "two"].asyncMap { try await DiskUsage.du("\(root)/\($0)") }
            #expect(status.containers.map(\.diskBytes) == du)
            #expect(status.totals.containers.diskBytes == du.reduce(0, +) - shared)
            #expect(status.sources.first?.sharedExtentsAsOf != nil)
            let text = try await query.client(["explain", "two"]).out
            #expect(text.contains("together"))

            // Written anew, the copy is its own; asking what would come free compares again.
            try await Command.output([
                "sh", "-ec",
                "cd \(root); dd if=/dev/urandom of=two/file bs=1000000 count=20 conv=notrunc; sync --file-system .",
            ])
            try await wait(until: "the copy to be charged", deadline: .seconds(60)) {
                _ = try await query.client(Reclaim.self, arguments: ["reclaim", "two"])
                let now = try await query.status()
                let du = try await ["one", "two"].asyncMap { try await DiskUsage.du("\(root)/\($0)") }
                return now.exact && now.totals.containers.diskBytes == du.reduce(0, +)
            }
        }
    }
}

extension [String] {
    fileprivate func asyncMap<Value>(_ body: (String) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
