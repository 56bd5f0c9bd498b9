internal import Accounting

/// How much processor time looks for answers may take: a fifth of a core over time, and a fifth of a second at once.
///
/// So a few questions are answered without a wait, and clients that never stop asking cannot have more than that.
struct LookBudget {
    private static let share: Int64 = 5
    private static let most: Int64 = 200_000_000

    /// What was left at a moment, nanoseconds; less than nothing after a look that took more.
    private var rest = most
    private var moment: Int64 = 0

    /// When the next look may begin, nanoseconds of the monotonic clock.
    func next(at now: Int64) -> Int64 {
        let rest = rest(at: now)
        return rest > 0 ? now : now.addingClamped((1 - rest) * Self.share)
    }

    /// Takes what a look took that ended now.
    mutating func spend(_ cost: Int64, at now: Int64) {
        rest = rest(at: now) - cost
        moment = now
    }

    private func rest(at now: Int64) -> Int64 {
        min(Self.most, rest + max(0, now - moment) / Self.share)
    }
}
