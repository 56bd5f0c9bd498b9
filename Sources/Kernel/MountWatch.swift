internal import Glibc
public import SystemPackage

/// Tells when the mounts of this process's namespace change; used by one thread.
public final class MountWatch {
    /// Urgent in ``Poll/wait(for:urgent:timeoutMilliseconds:)`` once after changes; `nil` where `/proc` is not
    /// mounted: then nothing is told.
    public let descriptor: FileDescriptor?

    public init() {
        let raw = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        descriptor = raw >= 0 ? FileDescriptor(rawValue: raw) : nil
    }

    deinit {
        try? descriptor?.close()
    }

    /// Whether there was a change since this was last asked or waited for.
    ///
    /// The kernel counts it inside the system call that mounts or unmounts. The corresponding C function is `poll`
    /// with `POLLPRI`.
    public func hasChanged() -> Bool {
        guard let descriptor else { return false }
        return Poll.wait(for: [], urgent: descriptor, timeoutMilliseconds: 0) == [true]
    }
}
