import CLinux
import Glibc
import Kernel
import UsageTestKit

/// What a process has taken, as the kernel counts it.
enum ProcessUsage {
    /// Processor time of all its threads, nanoseconds.
    static func processorNanoseconds(of process: pid_t) throws -> Int64 {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw WaitFailure(description: "process \(process) has no processor clock: is it gone?")
        }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// How often each of its threads went to sleep, by the thread's number.
    static func waits(of process: pid_t) throws -> [String: Int64] {
        var waits: [String: Int64] = [:]
        for thread in try Directory.open(path: "/proc/\(process)/task").names().map(\.escaped) {
            let status = (try? ProcessFile.text("/proc/\(process)/task/\(thread)/status")) ?? ""
            waits[thread] = ProcessFile.number("voluntary_ctxt_switches", in: status)
        }
        return waits
    }

    /// Bytes of pages that it alone has and has written to.
    static func privateDirtyBytes(of process: pid_t) throws -> Int64 {
        let text = try ProcessFile.text("/proc/\(process)/smaps_rollup")
        return (ProcessFile.number("Private_Dirty", in: text) ?? 0) * 1024
    }
}
