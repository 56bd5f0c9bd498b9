import Foundation
import Testing
import UsageTestKit
import Wire

/// A plain store whose containers are written to by a test, and a rule for their size.
enum PlainStore {
    static let rules = """
        alerts:
          - name: large
            kind: size
            limit: 200kB
            clear: 100kB

        """

    /// Writes a file of so many bytes; directories on the way are made.
    static func write(_ bytes: Int, to path: String) throws {
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(repeating: 0x61, count: bytes).write(to: URL(fileURLWithPath: path))
    }

    /// Mounts a file system in memory.
    static func mountMemory(on path: String, mebibytes: Int = 16) async throws {
        try await Command.output(["mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m", "tmpfs", path])
    }

    /// Waits for an exact answer and compares it with walks.
    static func check(
        _ query: UsageQuery, _ root: String, _ place: SourceLocation = #_sourceLocation
    ) async throws -> Status {
        let status = try await query.exactStatus()
        try await expectTruth(status, below: root, place)
        return status
    }

    /// Checks that each container's figures are those of a walk over its directory.
    static func expectTruth(
        _ status: Status, below root: String, _ place: SourceLocation = #_sourceLocation
    ) async throws {
        for container in status.containers {
            let walk = try await FullWalk.measure("\(root)/\(container.name)")
            #expect(container.diskBytes == walk.diskBytes, "\(container.name)", sourceLocation: place)
            #expect(container.sizeBytes == walk.sizeBytes, "\(container.name)", sourceLocation: place)
        }
    }
}
