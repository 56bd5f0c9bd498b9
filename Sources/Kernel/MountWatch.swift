internal import Glibc

/// Tells when the mounts of this process's namespace change; used by one thread.
public final class MountWatch {
    /// -1 where `/proc` is not mounted: then nothing is told.
    private let descriptor: Int32

    public init() {
        descriptor = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Whether there was a change since the last call.
    ///
    /// The kernel counts it inside the system call that mounts or unmounts. The corresponding C function is `poll`
    /// with `POLLPRI`.
    public func hasChanged() -> Bool {
        guard descriptor >= 0 else { return false }
        var request = pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0)
        return poll(&request, 1, 0) > 0
    }
}
