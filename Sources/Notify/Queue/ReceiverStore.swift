internal import Synchronization
public import Wire

/// The book of one receiver with its file, for the thread that reads the feed and the one that delivers.
///
/// That the file cannot be written stops nothing: the book goes on in memory, and the whole is written when it can be.
public final class ReceiverStore: Sendable {
    fileprivate struct State {
        var book: ReceiverBook
        let file: BookFile
        /// Given up for want of room, and not told of yet.
        var dropped = 0
        var failure: NotifyError?
    }

    private let state: Mutex<State>
    /// Lines of the file that could not be read at the start.
    public let damagedLines: Int

    /// Opens the file, or begins one; where that cannot be written, what was read is kept in memory.
    public init(path: String, limits: ReceiverBook.Limits = ReceiverBook.Limits()) throws(NotifyError) {
        let file = BookFile(path: path)
        let contents = try file.read()
        var book = ReceiverBook(limits: limits)
        for (entry, size) in contents.entries { book.apply(entry, size: size) }
        damagedLines = contents.damaged
        var state = State(book: book, file: file)
        state.finish([])
        self.state = Mutex(state)
    }

    /// Takes alerts up as they came; `isWanted` says which the receiver is sent.
    ///
    /// Returns whether there is something new to deliver.
    public func take(_ alerts: [Alert], isWanted: (Alert) -> Bool) -> Bool {
        let judged = alerts.map { (alert: $0, isWanted: isWanted($0)) }
        return state.withLock { state in
            let entries = judged.compactMap { alert, isWanted in
                state.take { $0.entry(for: alert, isWanted: isWanted) }
            }
            state.finish(entries)
            return state.book.waiting > 0
        }
    }

    /// Compares with a whole list, so that what was missed is noticed.
    ///
    /// The list has what fires, and for each other alert its last end; it is of `time`, RFC 3339. Returns whether there
    /// is something to deliver.
    public func compare(with list: [Alert], time: String, isWanted: (Alert) -> Bool) -> Bool {
        let judged = list.map { (alert: $0, isWanted: isWanted($0)) }
        return state.withLock { state in
            var entries = judged.compactMap { alert, isWanted in
                state.take { $0.entry(for: alert, isWanted: isWanted) }
            }
            for entry in state.book.entriesForUnlisted(Set(list.map(AlertKey.init)), time: time) {
                if let line = state.take({ _ in entry }) { entries.append(line) }
            }
            if let line = state.take({ $0.hasLooked ? nil : .looked }) { entries.append(line) }
            state.finish(entries)
            return state.book.waiting > 0
        }
    }

    /// What is to be delivered next; see ``ReceiverBook/nextBatch(limit:byteLimit:)``.
    func nextBatch(limit: Int) -> [(number: Int64, notice: Notice)] {
        state.withLock { $0.book.nextBatch(limit: limit) }
    }

    func record(_ entry: BookEntry) {
        state.withLock { state in
            let lines = state.take { _ in entry }
            state.finish(lines.map { [$0] } ?? [])
        }
    }

    func firing(deliveredBefore time: Int64) -> [Notice] {
        state.withLock { $0.book.firing(deliveredBefore: time) }
    }

    var oldestDelivery: Int64? {
        state.withLock { $0.book.oldestDelivery }
    }

    /// How many notices wait.
    public var waiting: Int {
        state.withLock { $0.book.waiting }
    }

    /// How many were given up for want of room since this was asked last.
    func takeDropped() -> Int {
        state.withLock { state in
            defer { state.dropped = 0 }
            return state.dropped
        }
    }

    /// Why the file lacks something; `nil` while it lacks nothing.
    var failure: NotifyError? {
        state.withLock { $0.failure }
    }

    /// Writes what the file lacks, if anything.
    func catchUp() {
        state.withLock { state in
            if state.file.isBehind { state.finish([]) }
        }
    }
}

extension ReceiverStore.State {
    /// Applies what `decide` says, and what must go because of it; the lines for the file.
    mutating func take(_ decide: (ReceiverBook) -> BookEntry?) -> [UInt8]? {
        guard let entry = decide(book) else { return nil }
        var line = BookFile.encode(entry)
        book.apply(entry, size: line.count)
        for entry in book.entriesToFit() {
            if case .dropped(let numbers) = entry { dropped += numbers.count }
            let more = BookFile.encode(entry)
            book.apply(entry, size: more.count)
            line += more
        }
        return line
    }

    /// Has the file hold what was taken.
    mutating func finish(_ lines: [[UInt8]]) {
        guard !lines.isEmpty || file.isBehind else { return }
        do throws(NotifyError) {
            if file.isBehind || file.isOverdue {
                try file.rewrite(book.entries().map(BookFile.encode))
            } else {
                try file.append(lines)
            }
            failure = nil
        } catch {
            failure = error
        }
    }
}
