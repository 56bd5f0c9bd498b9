internal import Glibc
internal import SystemPackage

/// The calling thread's `errno`.
func currentErrno() -> SystemPackage.Errno {
    SystemPackage.Errno(rawValue: Glibc.errno)
}

/// Repeats a call while a signal interrupts it.
func retryingOnInterrupt(_ call: () -> Int32) -> Int32 {
    while true {
        let result = call()
        if result >= 0 || currentErrno() != .interrupted { return result }
    }
}
