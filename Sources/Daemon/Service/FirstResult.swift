internal import Dispatch
internal import Synchronization

/// Hands the first of several possible results to whoever waits; later ones are dropped.
final class FirstResult<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Value, Never>)
        case given(Value)
        case done
    }

    private static var timers: DispatchQueue { DispatchQueue.global(qos: .utility) }
    private let state = Mutex(State.open)

    func give(_ value: Value) {
        let waiter = state.withLock { state -> CheckedContinuation<Value, Never>? in
            switch state {
            case .open:
                state = .given(value)
                return nil
            case .waiting(let continuation):
                state = .done
                return continuation
            case .given, .done: return nil
            }
        }
        waiter?.resume(returning: value)
    }

    /// Waits for the result, and for `late` when the time is over before there is one; may be called once.
    func value(withinMilliseconds milliseconds: Int, otherwise late: Value) async -> Value {
        Self.timers.asyncAfter(deadline: .now() + .milliseconds(max(0, milliseconds))) { [self] in
            give(late)
        }
        return await withCheckedContinuation { continuation in
            let given = state.withLock { state -> Value? in
                guard case .given(let value) = state else {
                    state = .waiting(continuation)
                    return nil
                }
                state = .done
                return value
            }
            if let given { continuation.resume(returning: given) }
        }
    }
}
