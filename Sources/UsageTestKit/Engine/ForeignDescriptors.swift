import Glibc
import Synchronization
import SystemPackage

/// Does something many times while another thread opens files, and counts those of them that were closed meanwhile.
///
/// A descriptor that is closed twice is another's the second time.
public func foreignDescriptorsClosed(
    while times: Int, _ body: @escaping @Sendable () -> Void
) async throws -> Int {
    let isDone = Mutex(false)
    async let lost = onThread { () -> Int in
        var lost = 0
        while !isDone.withLock(\.self) {
            let file = try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec)
            // For about as long as the other thread needs from one close to the next.
            for _ in 0..<3 { sched_yield() }
            if fcntl(file.rawValue, F_GETFD) < 0 { lost += 1 } else { try file.close() }
        }
        return lost
    }
    try await onThread {
        for _ in 0..<times { body() }
    }
    isDone.withLock { $0 = true }
    return try await lost
}
