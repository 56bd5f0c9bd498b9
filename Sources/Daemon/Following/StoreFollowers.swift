internal import Stores
internal import Synchronization

/// The followers of all stores of the host.
final class StoreFollowers: Sendable {
    private let followers = Mutex<[StoreFollower]>([])

    var locations: [StoreLocation] { followers.withLock { $0.map(\.location) } }

    /// Whether every store was read once.
    var areAllRead: Bool { followers.withLock { $0 }.allSatisfy(\.isRead) }

    func add(_ follower: StoreFollower) {
        followers.withLock { $0.append(follower) }
        follower.start()
    }

    /// Waits as ``StoreFollower/barrier(milliseconds:)`` for all of them.
    func barrier(milliseconds: Int) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            for follower in followers.withLock({ $0 }) {
                group.addTask { await follower.barrier(milliseconds: milliseconds) }
            }
            return await group.reduce(true) { $0 && $1 }
        }
    }

    func stop() {
        for follower in followers.withLock({ $0 }) { follower.stop() }
    }
}
