internal import Glibc

/// Nanoseconds of `CLOCK_REALTIME`, by which file systems stamp their inodes.
package func realtimeNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
