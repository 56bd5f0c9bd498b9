internal import Dispatch
internal import Synchronization

/// Makes calls that may never return on a queue of its own, so that the caller goes on without them.
///
/// The kernel may make a reader of `maps` wait for a process that waits itself: for a page of a dead network's file,
/// or of a file system that the process serves.
final class ImpatientCaller: Sendable {
    private final class Result<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private let patienceMilliseconds: Int
    private let queue = DispatchQueue(label: "usaged.impatient")
    private let isBusy = Mutex(false)
    private let spent = Atomic<UInt64>(0)

    /// The processor time of all calls that have returned, in nanoseconds.
    var spentNanoseconds: UInt64 { spent.load(ordering: .relaxed) }

    init(patienceMilliseconds: Int) {
        self.patienceMilliseconds = patienceMilliseconds
    }

    /// What `body` returns; `nil` where it takes too long, or one before has not returned yet.
    func value<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value? {
        let isFree = isBusy.withLock { busy in
            defer { busy = true }
            return !busy
        }
        guard isFree else { return nil }
        let result = Result<Value>()
        let done = DispatchSemaphore(value: 0)
        queue.async { [self] in
            let start = ThreadClock.now()
            let value = body()
            spent.add(ThreadClock.now() - start, ordering: .relaxed)
            isBusy.withLock { $0 = false }
            result.value.withLock { $0 = value }
            done.signal()
        }
        guard done.wait(timeout: .now() + .milliseconds(patienceMilliseconds)) == .success else { return nil }
        return result.value.withLock { $0 }
    }
}
