internal import Accounting
internal import History
internal import Synchronization
internal import Wire

/// Marks that people set, kept over a restart, and those made by the clock, by which `since 10m` is answered.
final class MarkBook: Sendable {
    private static let nameLimit = 64

    private let state: DaemonState
    private let history = Mutex(MarkHistory())

    init(state: DaemonState) {
        self.state = state
    }

    /// Whether it is time to ``note(_:at:usedBytes:)``.
    func isDue(at moment: Moment) -> Bool {
        history.withLock { $0.isDue(at: moment) }
    }

    /// Takes the books of a moment, for questions about a duration.
    func note(_ snapshot: UsageSnapshot, at moment: Moment, isExact: Bool, usedBytes: [String: Int64]) {
        history.withLock { $0.note(snapshot, at: moment, isExact: isExact, usedBytes: usedBytes) }
    }

    /// The mark of this name, or the books as they were a duration ago.
    func mark(_ name: String, at moment: Moment) async throws(Problem) -> Mark {
        do {
            if let mark = try await state.mark(named: name) { return mark }
        } catch {
            throw Problem(.unavailable, detail: "the mark '\(name)' cannot be read: \(error)")
        }
        guard let seconds = DurationText.seconds(name) else {
            throw Problem(
                .notFound,
                detail: "there is no mark '\(name)', and it is no duration as 10m or 2h; "
                    + "set one with: usage-client mark \(name)")
        }
        guard let mark = history.withLock({ $0.mark(secondsAgo: seconds, at: moment) }) else {
            throw Problem(.unavailable, detail: "nothing is remembered yet; ask again in a minute")
        }
        return mark
    }

    func set(_ mark: Mark, named name: String) async throws(Problem) {
        do {
            try await state.save(mark, named: name)
        } catch {
            throw Problem(.unavailable, detail: "the mark '\(name)' cannot be kept: \(error)")
        }
    }

    /// Throws unless the text can name a mark.
    static func check(_ name: String) throws(Problem) {
        let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
        guard !name.isEmpty, name.utf8.count <= nameLimit, name.allSatisfy({ allowed.contains($0) }) else {
            throw Problem(
                .invalidRequest,
                detail: "a mark's name is 1 to \(nameLimit) letters, digits, '.', '_' and '-'")
        }
        guard DurationText.seconds(name) == nil else {
            throw Problem(
                .invalidRequest, detail: "'\(name)' reads as a duration; choose another name for the mark")
        }
    }
}
