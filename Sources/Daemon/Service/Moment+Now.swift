internal import Accounting
internal import Glibc

extension Moment {
    /// Now, by `CLOCK_MONOTONIC` and by the wall clock.
    static func now() -> Moment {
        Moment(uptime: read(CLOCK_MONOTONIC), wall: read(CLOCK_REALTIME))
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
