internal import Glibc
internal import SystemPackage

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
                if target(of: entry.name, in: directory) == Array("anon_inode:inotify".utf8) {
                    instances += 1
                }
            }
        } catch let error as KernelError {
            throw error
        } catch {
            preconditionFailure("forEachEntry throws only KernelError when its body does not throw")
        }
        // Less the one that is open to read this.
        return OpenDescriptors(count: max(0, count - 1), inotifyInstances: instances)
    }

    private static func target(of name: FileName, in directory: Directory) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 64)
        let length = name.withCString { readlinkat(directory.descriptor.rawValue, $0, &buffer, buffer.count) }
        return buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
    }
}
