/// How long to wait before the next try: twice as long each time up to a bound, and each time by chance somewhat less, so
/// that many who failed at once do not come back at once.
struct Backoff: Sendable {
    static let first = Duration.seconds(1)
    static let longest = Duration.seconds(300)

    private(set) var failures = 0

    mutating func reset() {
        failures = 0
    }

    /// The next wait, not shorter than the receiver asks for where it does; `random` is from 0 to 1.
    mutating func next(asked: Duration? = nil, random: Double) -> Duration {
        failures += 1
        let full = min(Self.first * (1 << min(failures - 1, 16)), Self.longest)
        let wait = full * (0.5 + 0.5 * random)
        return max(wait, min(asked ?? .zero, Self.longest))
    }
}
