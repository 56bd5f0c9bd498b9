internal import Accounting
internal import Stores
internal import Synchronization

/// The followers of all stores of the host.
final class StoreFollowers: Sendable {
    private struct State {
        var followers: [StoreFollower] = []
        /// Those that are let go and may still tell the books something.
        var ending: [StoreFollower] = []
    }

    private let state = Mutex(State())

    var all: [StoreFollower] { state.withLock { $0.followers } }

    /// Whether every store was read once.
    var areAllRead: Bool { all.allSatisfy(\.isRead) }

    func add(_ follower: StoreFollower) {
        state.withLock { $0.followers.append(follower) }
        follower.start()
    }

    /// Whether a follower of the store is there, or one that was let go has not ended yet.
    func has(_ store: StoreIdentity) -> Bool {
        state.withLock { ($0.followers + $0.ending).contains { $0.identity == store } }
    }

    /// Lets a store go; `body` is called when nothing more of it comes.
    func remove(_ follower: StoreFollower, then body: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.followers.removeAll { $0 === follower }
            state.ending.append(follower)
        }
        follower.stop { [self] in
            body()
            state.withLock { state in state.ending.removeAll { $0 === follower } }
        }
    }

    /// Waits as ``StoreFollower/barrier(milliseconds:)`` for all of them.
    ///
    /// While one that was let go has not ended, what is in the books of it may be old.
    func barrier(milliseconds: Int) async -> Bool {
        let (followers, isEnding) = state.withLock { ($0.followers, !$0.ending.isEmpty) }
        return await withTaskGroup(of: Bool.self) { group in
            for follower in followers {
                group.addTask { await follower.barrier(milliseconds: milliseconds) }
            }
            return await group.reduce(!isEnding) { $0 && $1 }
        }
    }

    func stop() {
        for follower in all { follower.stop() }
    }
}
