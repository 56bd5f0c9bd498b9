/// What the kernel allows of inotify.
public enum InotifyLimits {
    /// How many watches a user may hold, over all instances; `nil` where the kernel does not say.
    ///
    /// It is the sysctl `fs.inotify.max_user_watches`, which others on the host draw on as well.
    public static var watches: Int? {
        let path = "/proc/sys/fs/inotify/max_user_watches"
        guard let bytes = try? BoundedFile.read(path: path, limit: 64) else { return nil }
        return Int(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
    }
}
