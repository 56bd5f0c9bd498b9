internal import Accounting
internal import Kernel

/// How long file systems change blocks after a write: when to look again, and when the figure of an immutable layer is
/// final.
struct SettlingTimes: Hashable, Sendable {
    /// After how many seconds a file of a writable layer that was written is looked at again.
    ///
    /// XFS keeps preallocated blocks for up to 300 s; elsewhere the second look is in vain.
    var looksAfterSeconds = [35, 320]
    /// Measured: ext4 gives the last blocks of a file at writeback, 33 s after the write.
    var youngNanoseconds: Int64 = 35_000_000_000
    /// The age of the newest inode at which to measure again.
    var delayNanoseconds: Int64 = 36_000_000_000
    /// Until a walk that failed is tried again, at least; one that took long waits ten times as long.
    var retryNanoseconds: Int64 = 5_000_000_000
    /// A change time in the future, left by a clock that was set back, is not waited for longer than this.
    static let longestWait: Int64 = 600_000_000_000
    static let shortestWait: Int64 = 1_000_000_000

    /// What a walk means that began at `started` of the wall clock and saw no later change than `newestChange`.
    func outcome(newestChange: Int64, walkStarted started: Int64) -> SettlingLayers.Outcome {
        guard newestChange > started.subtractingClamped(youngNanoseconds) else { return .final }
        let wait = newestChange.addingClamped(delayNanoseconds).subtractingClamped(realtimeNanoseconds())
        return .young(
            due: monotonicNanoseconds() + min(max(wait, Self.shortestWait), Self.longestWait))
    }
}
