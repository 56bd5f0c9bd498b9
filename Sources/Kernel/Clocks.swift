internal import Glibc

/// Nanoseconds of `CLOCK_MONOTONIC`.
package func monotonicNanoseconds() -> Int64 { nanoseconds(of: CLOCK_MONOTONIC) }

/// Nanoseconds of `CLOCK_REALTIME`, by which file systems stamp their inodes.
package func realtimeNanoseconds() -> Int64 { nanoseconds(of: CLOCK_REALTIME) }

/// Nanoseconds of the realtime clock that no inode which changes from now on is stamped before.
///
/// File systems stamp by the last tick.
package func changeTimeNanoseconds() -> Int64 { nanoseconds(of: CLOCK_REALTIME_COARSE) }

extension Duration {
    /// Whole milliseconds, as poll(2) and timers take them.
    package var milliseconds: Int {
        Int(clamping: components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}

private func nanoseconds(of clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
