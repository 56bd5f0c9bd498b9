internal import Glibc
internal import Kernel
internal import Synchronization

/// Accepts the connections to a listening socket, and serves each on a thread of its own.
///
/// A socket that is closed while a thread is about to accept from it leaves that thread with the number of whatever is
/// opened next, and so with the connections of another server. Here the accepting thread closes.
public final class Acceptor: Sendable {
    private let listener: Int32
    private let isOpen = Mutex(true)

    /// Takes over a listening stream socket that blocks; ``start(serving:)`` must follow.
    public init(_ listener: Int32) {
        self.listener = listener
    }

    /// Has `serve` called with each connection, which is closed when it returns.
    public func start(serving serve: @escaping @Sendable (Int32) -> Void) {
        NamedThread.start("accept") { [self] in
            while let connection = next() {
                NamedThread.start("serve") {
                    defer { close(connection) }
                    serve(connection)
                }
            }
            isOpen.withLock { isOpen in
                isOpen = false
                close(listener)
            }
        }
    }

    /// Stops listening: who connects from now on is refused.
    public func end() {
        isOpen.withLock { isOpen in
            if isOpen { shutdown(listener, Int32(SHUT_RDWR)) }
        }
    }

    private func next() -> Int32? {
        while true {
            let connection = accept(listener, nil, nil)
            if connection >= 0 {
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                return connection
            }
            guard errno == EINTR || errno == ECONNABORTED else { return nil }
        }
    }
}
