internal import CLinux
internal import Glibc
internal import Synchronization

/// Descriptors that are held back for directories and metadata files.
///
/// Where clients, or a limit that was lowered, leave no descriptor, one of these is given up for each open that
/// would fail, and taken again when a directory or file is closed: accounting goes on.
public enum DescriptorReserve {
    private struct State {
        var held: [Int32] = []
        var size = 0
    }

    private static let state = Mutex(State())
    private static let isLent = Atomic(false)

    /// How many are lent, of how many; a process that never called ``fill(_:)`` has none.
    public static var lent: (count: Int, of: Int) { state.withLock { ($0.size - $0.held.count, $0.size) } }

    /// Holds `size` descriptors back from now on, or as many as there are.
    public static func fill(_ size: Int) {
        state.withLock { $0.size = size }
        isLent.store(true, ordering: .relaxed)
        takeBack()
    }

    /// Makes a call that returns a descriptor, and repeats it as long as it finds none free and the reserve has one to
    /// give up; `errno` is that of the last call.
    static func opening(_ call: () -> Int32) -> Int32 {
        while true {
            let result = retryingOnInterrupt(call)
            guard result < 0 else { return result }
            let failure = Glibc.errno
            guard failure == EMFILE || failure == ENFILE, giveUpOne() else {
                Glibc.errno = failure
                return result
            }
        }
    }

    /// Fills the reserve again after a descriptor was closed.
    static func takeBack() {
        guard isLent.load(ordering: .relaxed) else { return }
        state.withLock { state in
            while state.held.count < state.size {
                let descriptor = clinux_eventfd()
                guard descriptor >= 0 else { return }
                state.held.append(descriptor)
            }
            isLent.store(false, ordering: .relaxed)
        }
    }

    private static func giveUpOne() -> Bool {
        state.withLock { state in
            guard let descriptor = state.held.popLast() else { return false }
            isLent.store(true, ordering: .relaxed)
            close(descriptor)
            return true
        }
    }
}
