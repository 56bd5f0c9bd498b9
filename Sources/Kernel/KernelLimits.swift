internal import Glibc

/// What the kernel allows this process, as far as it can be read: `/proc/sys` may be hidden.
public struct KernelLimits: Hashable, Sendable {
    /// Inotify watches of this user, over all its processes.
    public var watches: Int?
    /// Inotify instances of this user, over all its processes.
    public var instances: Int?
    /// Events that an inotify instance queues; one keeps the number that was allowed when it was made.
    public var queuedEvents: Int?
    /// Files that this process may have open.
    public var openFiles: Int?

    public init(watches: Int? = nil, instances: Int? = nil, queuedEvents: Int? = nil, openFiles: Int? = nil) {
        self.watches = watches
        self.instances = instances
        self.queuedEvents = queuedEvents
        self.openFiles = openFiles
    }

    public static func current() -> KernelLimits {
        KernelLimits(
            watches: least("fs/inotify/max_user_watches", "user/max_inotify_watches"),
            instances: least("fs/inotify/max_user_instances", "user/max_inotify_instances"),
            queuedEvents: number("fs/inotify/max_queued_events"), openFiles: openFilesLimit())
    }

    /// The number in a file below `/proc/sys`, held between 0 and the largest `Int`.
    private static func number(_ name: String) -> Int? {
        guard let bytes = try? BoundedFile.read(path: "/proc/sys/\(name)", limit: 64) else { return nil }
        return Int(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)).map {
            max(0, $0)
        }
    }

    /// The host's own limit and that of the user namespace hold both.
    private static func least(_ host: String, _ namespace: String) -> Int? {
        [number(host), number(namespace)].compactMap { $0 }.min()
    }

    private static func openFilesLimit() -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }
}
