import Synchronization

/// Answers equal questions together.
///
/// An answer holds all that was done before its question, so one that is being worked out is none for who asks
/// meanwhile. Those wait for it to end, and are then answered as one: a thousand clients at once cost some dozen answers,
/// and share their bytes.
final class SharedAnswers: Sendable {
    struct Question: Hashable, Sendable {
        var route: Route
        /// Those of root and of the daemon's own user wait for nobody else's.
        var isPrivileged: Bool
    }

    private typealias Waiter = CheckedContinuation<Answer, any Error>

    private struct State {
        var next = 0
        /// Questions of which some are being answered.
        var running: Set<Question> = []
        var waiting: [Question: [Int: Waiter]] = [:]
    }

    private let state = Mutex(State())

    /// The answer that `body` gives, which begins after this call.
    ///
    /// - Throws: What `body` throws, or `CancellationError` when the task was cancelled while it waited.
    func answer(
        _ question: Question, by body: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: Waiter) in
                let mustBegin: Bool? = state.withLock { state in
                    // Checked under the lock: a cancellation after it finds the waiter.
                    if Task.isCancelled { return nil }
                    state.waiting[question, default: [:]][number] = waiter
                    return state.running.insert(question).inserted
                }
                guard let mustBegin else { return waiter.resume(throwing: CancellationError()) }
                if mustBegin { Task { await answerAll(question, by: body) } }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiting[question]?.removeValue(forKey: number) }
            waiter?.resume(throwing: CancellationError())
        }
    }

    private func answerAll(_ question: Question, by body: @Sendable () async throws -> Answer) async {
        while let waiters = take(question) {
            let result: Result<Answer, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            for waiter in waiters { waiter.resume(with: result) }
        }
    }

    /// How many wait for the next answer to a question.
    func waitingCount(_ question: Question) -> Int { state.withLock { $0.waiting[question]?.count ?? 0 } }

    /// Whether nothing is being answered.
    var isIdle: Bool { state.withLock { $0.running.isEmpty } }

    /// Those who wait for an answer; `nil` where none does any more.
    private func take(_ question: Question) -> [Waiter]? {
        state.withLock { state in
            if let waiting = state.waiting.removeValue(forKey: question), !waiting.isEmpty {
                return Array(waiting.values)
            }
            state.running.remove(question)
            return nil
        }
    }
}
