/// A state did not come in time.
public struct WaitFailure: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) {
        self.description = description
    }
}

/// Looks again and again until `probe` returns a value, and returns it.
///
/// An error that `probe` throws means "not yet"; the last one is in the failure's text.
public func wait<Value>(
    for what: String, deadline: Duration = .seconds(10), isolation: isolated (any Actor)? = #isolation,
    _ probe: () async throws -> Value?
) async throws -> Value {
    let clock = ContinuousClock()
    let deadline = deadline * Sanitizer.slowdown
    let end = clock.now + deadline
    var pause = Duration.milliseconds(1)
    while true {
        var last: (any Error)?
        do {
            if let value = try await probe() { return value }
        } catch {
            last = error
        }
        guard clock.now < end else {
            let reason = last.map { ": \($0)" } ?? ""
            throw WaitFailure(description: "waited \(deadline) for \(what)\(reason)")
        }
        try await clock.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(50))
    }
}

/// Looks again and again until `condition` holds.
public func wait(
    until what: String, deadline: Duration = .seconds(10), isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    try await wait(for: what, deadline: deadline, isolation: isolation) { try await condition() ? () : nil }
}
