internal import CLinux
internal import Foundation

/// Runs blocking work on a thread of its own, never on the cooperative pool.
public enum NamedThread {
    /// Starts `body` on a new thread; the name shows in `top -H` and `gdb`, cut to 15 bytes.
    public static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            _ = clinux_set_thread_name(String(name.prefix(15)))
            body()
        }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }
}
