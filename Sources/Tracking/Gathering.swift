internal import Accounting
internal import Synchronization

/// Collects the answers of all shards and of the scanners, or gives up.
final class Gathering: Sendable {
    private struct State {
        var missing: Int
        var unsettled: Set<LayerKey> = []
        var isDone = false
    }

    private let state: Mutex<State>
    private let finish: @Sendable (Set<LayerKey>?) -> Void

    init(count: Int, _ finish: @escaping @Sendable (Set<LayerKey>?) -> Void) {
        state = Mutex(State(missing: count))
        self.finish = finish
    }

    func add(_ unsettled: Set<LayerKey>) {
        let all: Set<LayerKey>? = state.withLock { state in
            state.unsettled.formUnion(unsettled)
            state.missing -= 1
            guard state.missing == 0, !state.isDone else { return nil }
            state.isDone = true
            return state.unsettled
        }
        if let all { finish(all) }
    }

    func giveUp() {
        let isFirst = state.withLock { state in
            defer { state.isDone = true }
            return !state.isDone
        }
        if isFirst { finish(nil) }
    }
}
