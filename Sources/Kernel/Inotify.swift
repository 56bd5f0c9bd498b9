internal import CLinux
internal import Glibc
public import SystemPackage

/// One inotify instance, closed with its last reference.
///
/// It may be used from one thread at a time for reading; watches may be added from any.
public final class Inotify: Sendable {
    public let descriptor: FileDescriptor

    /// Opens an instance that never blocks.
    ///
    /// The corresponding C function is `inotify_init1`; `EMFILE` means that `fs.inotify.max_user_instances`
    /// (or the limit of open files) is used up.
    public init() throws(KernelError) {
        let raw = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard raw >= 0 else { throw KernelError(call: "inotify_init1") }
        descriptor = FileDescriptor(rawValue: raw)
    }

    deinit {
        try? descriptor.close()
    }

    /// Watches an open directory; the same inode always gets the same watch of this instance.
    ///
    /// It goes by `/proc/self/fd`, so no path is walked again and a path longer than `PATH_MAX` is no obstacle.
    /// The corresponding C function is `inotify_add_watch`; `ENOSPC` means that
    /// `fs.inotify.max_user_watches` is used up.
    public func add(_ directory: Directory, mask: InotifyEvent.Mask) throws(KernelError) -> Int32 {
        try add(path: "/proc/self/fd/\(directory.descriptor.rawValue)", mask: mask)
    }

    /// Watches a path that the operator or a store's layout gave.
    public func add(path: String, mask: InotifyEvent.Mask) throws(KernelError) -> Int32 {
        let watch = inotify_add_watch(descriptor.rawValue, path, mask.rawValue)
        guard watch >= 0 else { throw KernelError(call: "inotify_add_watch", path: path) }
        return watch
    }

    /// Ends a watch; one that has already gone is no error.
    public func remove(watch: Int32) {
        inotify_rm_watch(descriptor.rawValue, watch)
    }

    /// How many bytes of events wait in the queue.
    ///
    /// The corresponding C function is `ioctl` with `FIONREAD`.
    public func pendingBytes() throws(KernelError) -> Int {
        let bytes = clinux_pending_bytes(descriptor.rawValue)
        guard bytes >= 0 else { throw KernelError(call: "ioctl FIONREAD") }
        return Int(bytes)
    }

    /// Hands every event that waits in the queue to `body`, and returns how many there were.
    ///
    /// An event is queued inside the system call that caused it, so when this returns every change whose call
    /// had returned before is among the events, or behind an overflow. `limit` bounds the events taken in one
    /// call, so that a flood cannot hold the caller for ever; returning `limit` or more means that more may wait.
    /// It goes on past `limit` until it has taken `bytes` or found the queue empty: with what ``pendingBytes()``
    /// said, everything is taken that waited then, however long the queue.
    public func drain(
        limit: Int = .max, atLeast bytes: Int = 0, _ body: (InotifyEvent) -> Void
    ) throws(KernelError) -> Int {
        try drainRecords(limit: limit, atLeast: bytes) { body(InotifyEvent($0)) }
    }

    /// As ``drain(limit:atLeast:_:)``, without a copy of what was read.
    public func drainRecords(
        limit: Int = .max, atLeast bytes: Int = 0, _ body: (InotifyRecord) -> Void
    ) throws(KernelError) -> Int {
        var total = 0
        var taken = 0
        var failure: KernelError?
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 8) { buffer in
            while total < limit || taken < bytes {
                let count = Glibc.read(descriptor.rawValue, buffer.baseAddress, buffer.count)
                guard count > 0 else {
                    let errno = currentErrno()
                    if count < 0, errno == .interrupted { continue }
                    if count < 0, errno != .wouldBlock { failure = KernelError(call: "read", errno: errno) }
                    return
                }
                taken += count
                InotifyRecord.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { record in
                    total += 1
                    body(record)
                }
            }
        }
        if let failure { throw failure }
        return total
    }
}
