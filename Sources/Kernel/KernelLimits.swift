internal import Glibc

/// What the kernel allows this process, as far as it can be read: `/proc/sys` may be hidden.
public struct KernelLimits: Hashable, Sendable {
    /// A limit, with the sysctl that raises it.
    public struct Limit: Hashable, Sendable {
        public let value: Int
        public let setting: String
    }

    /// Inotify watches of this user, over all its processes.
    public var watches: Limit?
    /// Inotify instances of this user, over all its processes.
    public var instances: Limit?
    /// Events that an inotify instance queues; one keeps the number that was allowed when it was made.
    public var queuedEvents: Limit?
    /// Files that this process may have open.
    public var openFiles: Int?

    public static func current() -> KernelLimits {
        KernelLimits(
            watches: least("fs.inotify.max_user_watches", "user.max_inotify_watches"),
            instances: least("fs.inotify.max_user_instances", "user.max_inotify_instances"),
            queuedEvents: limit("fs.inotify.max_queued_events"), openFiles: openFilesLimit())
    }

    /// What a sysctl is set to, not below 0.
    private static func limit(_ setting: String) -> Limit? {
        let path = "/proc/sys/" + setting.replacing(".", with: "/")
        guard let bytes = try? BoundedFile.read(path: path, limit: 64),
            let value = Int(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        else { return nil }
        return Limit(value: max(0, value), setting: setting)
    }

    /// The host's own limit and that of the user namespace hold both; of equal ones it is the host's.
    private static func least(_ host: String, _ namespace: String) -> Limit? {
        [limit(host), limit(namespace)].compactMap { $0 }.min { $0.value < $1.value }
    }

    private static func openFilesLimit() -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }
}
