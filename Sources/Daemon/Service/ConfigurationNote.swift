internal import Synchronization

/// Why the configuration was not taken when it was last read.
final class ConfigurationNote: Sendable {
    private let state = Mutex<String?>(nil)

    var problem: String? { state.withLock { $0 } }

    func note(problem: String?) {
        state.withLock { $0 = problem }
    }
}
