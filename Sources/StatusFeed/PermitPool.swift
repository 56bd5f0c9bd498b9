import Synchronization

/// Bounds how many questions are put to the daemon at once.
///
/// Others wait in the order they came; the privileged go first, and some places are theirs alone.
final class PermitPool: Sendable {
    fileprivate struct Waiter {
        let number: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var inUse = 0
        var next = 0
        var privileged: [Waiter] = []
        var others: [Waiter] = []
    }

    private let limit: Int
    private let limitForOthers: Int
    private let state = Mutex(State())

    init(limit: Int, reserved: Int) {
        self.limit = max(1, limit)
        self.limitForOthers = max(1, limit - reserved)
    }

    /// Runs `body` when its turn has come.
    ///
    /// - Throws: `CancellationError` when the task was cancelled while it waited.
    func run<T: Sendable>(privileged: Bool, _ body: () async throws -> T) async throws -> T {
        try await acquire(privileged: privileged)
        defer { release() }
        return try await body()
    }

    private func acquire(privileged: Bool) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    // Checked under the lock: a cancellation after it finds the waiter in its line.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.inUse < (privileged ? limit : limitForOthers) {
                        state.inUse += 1
                        return .success(())
                    }
                    let waiter = Waiter(number: number, continuation: continuation)
                    if privileged { state.privileged.append(waiter) } else { state.others.append(waiter) }
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.privileged.remove(number: number) ?? state.others.remove(number: number)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private func release() {
        let waiter = state.withLock { state -> Waiter? in
            state.inUse -= 1
            if !state.privileged.isEmpty {
                state.inUse += 1
                return state.privileged.removeFirst()
            }
            guard !state.others.isEmpty, state.inUse < limitForOthers else { return nil }
            state.inUse += 1
            return state.others.removeFirst()
        }
        waiter?.continuation.resume()
    }
}

extension [PermitPool.Waiter] {
    fileprivate mutating func remove(number: Int) -> Element? {
        firstIndex { $0.number == number }.map { remove(at: $0) }
    }
}
