internal import Glibc
public import SystemPackage

/// Tells that mounts of this process's namespace came or went; used by one thread.
public final class MountChanges: Sendable {
    /// Urgent in ``Poll/wait(for:urgent:timeoutMilliseconds:)`` once for all changes since it was last waited for.
    public let descriptor: FileDescriptor

    /// Tells of changes from now on.
    public init() throws(KernelError) {
        let raw = Glibc.open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw KernelError(call: "open", path: "/proc/self/mountinfo") }
        descriptor = FileDescriptor(rawValue: raw)
    }

    deinit {
        try? descriptor.close()
    }
}
