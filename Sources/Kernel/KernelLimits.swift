internal import Glibc

/// What the kernel allows this process, each as far as it can be read now: `/proc/sys` may be hidden.
public enum KernelLimits {
    /// A limit, with the sysctl that raises it.
    public struct Limit: Hashable, Sendable {
        public let value: Int
        public let setting: String
    }

    /// Inotify watches of this user, over all its processes.
    public static var watches: Limit? { least("fs.inotify.max_user_watches", "user.max_inotify_watches") }
    /// Inotify instances of this user, over all its processes.
    public static var instances: Limit? {
        least("fs.inotify.max_user_instances", "user.max_inotify_instances")
    }
    /// Events that an inotify instance queues; one keeps the number that was allowed when it was made.
    public static var queuedEvents: Limit? { limit("fs.inotify.max_queued_events") }
    /// Files that this process may have open.
    public static var openFiles: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
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
}
