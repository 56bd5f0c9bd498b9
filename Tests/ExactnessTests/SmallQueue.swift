import Foundation
import Glibc
import Kernel
import SystemPackage

/// Opens inotify instances whose queue overflows early.
///
/// The kernel copies `fs.inotify.max_queued_events` when an instance is made, so the sysctl has another value for that
/// call alone. The lock keeps processes that do the same from taking each other's value for the host's.
struct SmallQueue {
    private static let sysctl = "/proc/sys/fs/inotify/max_queued_events"

    /// Why it cannot be done here; `nil` where it can.
    static var obstacle: String? {
        access(sysctl, W_OK) == 0 ? nil : "\(sysctl) cannot be written"
    }

    let events: Int

    /// What an instance's queue holds that is opened without this, as long as nothing else changes it.
    static func length() throws -> Int64 {
        let descriptor = Glibc.open(sysctl, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        flock(descriptor, LOCK_SH)
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        let digits = buffer.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }
        guard let length = Int64(String(decoding: digits, as: UTF8.self)) else {
            throw KernelError(call: "pread", path: sysctl, errno: Errno(rawValue: errno))
        }
        return length
    }

    func open() throws(KernelError) -> Inotify {
        let descriptor = Glibc.open(Self.sysctl, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw KernelError(call: "open", path: Self.sysctl, errno: Errno(rawValue: errno))
        }
        defer { close(descriptor) }
        flock(descriptor, LOCK_EX)
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else {
            throw KernelError(call: "pread", path: Self.sysctl, errno: Errno(rawValue: errno))
        }
        let small = Array("\(events)".utf8)
        defer { pwrite(descriptor, buffer, count, 0) }
        guard pwrite(descriptor, small, small.count, 0) > 0 else {
            throw KernelError(call: "pwrite", path: Self.sysctl, errno: Errno(rawValue: errno))
        }
        return try Inotify()
    }
}
