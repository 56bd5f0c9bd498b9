import Accounting
import Kernel
import SystemPackage
import Testing
import UsageTestKit

@testable import Daemon

@Suite(
    "the walks of a store that are no layer's",
    .enabled(if: LoopFileSystem.Kind.xfs.obstacle == nil, "needs root, loop devices and mkfs.xfs"))
struct StoreSurveysTests {
    @Test("a store whose files may share blocks is inexact with the reason while they cannot be asked about")
    func unreadable() async throws {
        try await LoopFileSystem.with(.xfs) { disk in
            let store = StoreIdentity(engine: "plain", driver: "directory", root: disk.path)
            let books = try UsageBooks.untold()
            let surveys = try StoreSurveys(books: books)
            surveys.start()
            defer { surveys.stop() }

            /// What the books say of the store after its walk, with a layer in this directory.
            func confidence(of directory: String) async throws -> Confidence? {
                let facts = StoreFacts(
                    store: store,
                    layers: [LayerFact(id: "a", kind: .container, directory: "\(disk.path)/\(directory)")])
                _ = books.update(facts, metadata: .exact, watches: 1)
                books.record(
                    LayerKey(store: store, id: "a"),
                    LayerMeasure(total: Measure(diskBytes: 0, sizeBytes: 0, inodes: 0)))
                surveys.note(facts)
                #expect(await surveys.refresh(milliseconds: 60_000))
                books.advance()
                return books.latest.sources.first?.confidence
            }

            // The kernel takes no name of more than 255 bytes.
            let reason = """
                which files share blocks is not known: \
                \(KernelError(call: "open", path: "\(disk.path)/\(Self.long)", errno: .fileNameTooLong).advice)
                """
            #expect(try await confidence(of: Self.long) == .stale(reason: reason))
            #expect(try await confidence(of: "gone") == .exact)
        }
    }

    private static let long = String(repeating: "a", count: 300)
}
