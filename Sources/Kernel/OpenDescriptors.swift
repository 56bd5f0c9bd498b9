/// What this process has open, from `/proc/self/fd`.
public struct OpenDescriptors: Hashable, Sendable {
    public let count: Int
    public let inotifyInstances: Int

    public static func current() throws(KernelError) -> OpenDescriptors {
        let directory = try Directory.open(path: "/proc/self/fd")
        var (count, instances) = (0, 0)
        do {
            try directory.forEachEntry { entry in
                count += 1
                if (try? directory.link(entry.name)) == Array("anon_inode:inotify".utf8) { instances += 1 }
            }
        } catch let error as KernelError {
            throw error
        } catch {
            preconditionFailure("forEachEntry throws only KernelError when its body does not throw")
        }
        // Less the one that is open to read this.
        return OpenDescriptors(count: max(0, count - 1), inotifyInstances: instances)
    }
}
