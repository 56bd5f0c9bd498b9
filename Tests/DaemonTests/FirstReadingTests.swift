import Accounting
import Kernel
import Logging
import Stores
import Testing
import Tracking
import UsageTestKit

@testable import Daemon

@Suite("the first reading of a store")
struct FirstReadingTests {
    /// Follows a store without an accounting loop that would tell figures by itself, and without threads that measure.
    private func follow(
        _ reader: any StoreReader, in scratch: ScratchDirectory, _ body: (UsageBooks) throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let state = try DaemonState(directory: try scratch.directory("state"), logger: logger)
        defer { state.close() }
        let books = try UsageBooks.untold()
        let cache = MeasureCache(storage: state)
        let counters = DaemonCounters()
        let tracking = try TrackingService(
            sink: ReportSink(
                books: books, cache: cache, counters: counters, records: TrackingRecords(logger: logger)))
        defer { tracking.stop() }
        let follower = try StoreFollower(
            location: try StoreLocation(parsing: "plain=\(reader.identity.root)"), reader: reader,
            books: books,
            layers: LayerDispatch(
                books: books, tracking: tracking, cache: cache, counters: counters,
                overlay: OverlaySilence { nil }),
            surveys: try StoreSurveys(books: books), counters: counters)
        follower.start()
        try await wait(until: "the first reading") { follower.isRead }
        try body(books)
        let hasEnded = FirstResult<Bool>()
        follower.stop { hasEnded.give(true) }
        #expect(await hasEnded.value(withinMilliseconds: 60_000, otherwise: false))
    }

    @Test("a store counts as read only when it is in the figures that were told last")
    func toldBeforeRead() async throws {
        try await withScratch { scratch in
            try scratch.write("text", to: "store/one/file")
            let reader = PlainReader(root: scratch("store"))
            try await follow(reader, in: scratch) { books in
                #expect(books.latest.sources.map(\.store) == [reader.identity])
                // Books without the store would be called exact.
                #expect(!books.latest.isExact)
            }
        }
    }
}
