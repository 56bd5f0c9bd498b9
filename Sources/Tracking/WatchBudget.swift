internal import Synchronization

/// How many watches all shards may hold together.
final class WatchBudget: Sendable {
    private let limit: Int
    private let used = Mutex(0)

    init(limit: Int) {
        self.limit = limit
    }

    func take() -> Bool {
        used.withLock {
            guard $0 < limit else { return false }
            $0 += 1
            return true
        }
    }

    func give(_ count: Int = 1) {
        used.withLock { $0 -= count }
    }
}
