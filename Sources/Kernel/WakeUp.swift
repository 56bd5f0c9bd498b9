internal import CLinux
internal import Glibc
public import SystemPackage

/// Wakes a thread that waits in ``Poll/wait(for:urgent:timeoutMilliseconds:)``.
public final class WakeUp: Sendable {
    public let descriptor: FileDescriptor

    /// The corresponding C function is `eventfd`.
    public init() throws(KernelError) {
        let raw = clinux_eventfd()
        guard raw >= 0 else { throw KernelError(call: "eventfd") }
        descriptor = FileDescriptor(rawValue: raw)
    }

    deinit {
        try? descriptor.close()
    }

    /// Makes the descriptor readable until ``clear()``; may be called from any thread.
    public func signal() {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor.rawValue, &one, 8)
    }

    public func clear() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor.rawValue, &count, 8)
    }
}

/// Waits for descriptors to become readable.
public enum Poll {
    /// Blocks the calling thread until one of `descriptors` is readable or the time is over, and returns which
    /// are; a signal ends the wait early with none.
    ///
    /// `urgent` is waited for to have urgent news, as ``MountWatch`` has; it is the last of what is returned.
    /// The corresponding C function is `poll`; a negative timeout waits without end.
    public static func wait(
        for descriptors: [FileDescriptor], urgent: FileDescriptor? = nil, timeoutMilliseconds: Int32
    ) -> [Bool] {
        var entries = descriptors.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
        if let urgent { entries.append(pollfd(fd: urgent.rawValue, events: Int16(POLLPRI), revents: 0)) }
        let count = Glibc.poll(&entries, nfds_t(entries.count), timeoutMilliseconds)
        guard count > 0 else { return entries.map { _ in false } }
        return entries.map { $0.revents != 0 }
    }
}
