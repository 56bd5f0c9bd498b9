/// What this process has open, from `/proc/self/fd`.
public struct OpenDescriptors: Hashable, Sendable {
    public let count: Int
    public let inotifyInstances: Int

    public static func current() throws(KernelError) -> OpenDescriptors {
        let directory = try Directory.open(path: "/proc/self/fd")
        var (count, instances) = (0, 0)
        for name in try directory.names() {
            count += 1
            if (try? directory.link(name)) == Array("anon_inode:inotify".utf8) { instances += 1 }
        }
        // Less the one that is open to read this.
        return OpenDescriptors(count: max(0, count - 1), inotifyInstances: instances)
    }
}
