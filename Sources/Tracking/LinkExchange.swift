internal import Synchronization

/// Passes what one layer finds out about a file with names in several on to the layers of the other shards.
final class LinkExchange: Sendable {
    private let state = Mutex<(version: Int, shards: [TrackingShard])>((0, []))

    /// Counts what was passed on.
    var version: Int { state.withLock { $0.version } }

    func connect(_ shards: [TrackingShard]) {
        state.withLock { $0.shards = shards }
    }

    /// What is passed on arrives before any question that is asked after this has returned.
    func share(_ files: LinkedFiles, from shard: Int) {
        let shards = state.withLock { state in
            state.version += 1
            return state.shards
        }
        for (index, other) in shards.enumerated() where index != shard { other.send(.linked(files)) }
    }
}
