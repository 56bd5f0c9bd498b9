internal import CSystemd
internal import Glibc

/// What the daemon tells systemd, and hears from it; see `sd_notify(3)`.
///
/// Without a service manager every call does nothing. The calls send one datagram and may block while the
/// manager is busy.
public struct ServiceManager: Sendable {
    private let send: @Sendable (String) -> Int32

    public init() {
        send = { sd_notify(0, $0) }
    }

    init(send: @escaping @Sendable (String) -> Int32) {
        self.send = send
    }

    /// The daemon serves; also ends a reload.
    /// - Returns: Whether a service manager was told, as for all of these.
    @discardableResult
    public func notify(ready text: String) -> Bool {
        send("READY=1\n" + status(line: text)) > 0
    }

    /// One line that `systemctl status` shows.
    @discardableResult
    public func status(_ text: String) -> Bool {
        send(status(line: text)) > 0
    }

    /// The configuration is being read again; ``notify(ready:)`` must follow.
    @discardableResult
    public func reloading() -> Bool {
        // Type=notify-reload waits for both in one message.
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return send("RELOADING=1\nMONOTONIC_USEC=\(time.tv_sec * 1_000_000 + time.tv_nsec / 1000)") > 0
    }

    @discardableResult
    public func stopping() -> Bool {
        send("STOPPING=1\n" + status(line: "Stopping")) > 0
    }

    /// Shows the watchdog that the daemon lives; call it each half of ``watchdogInterval``.
    @discardableResult
    public func keepAlive() -> Bool {
        send("WATCHDOG=1") > 0
    }

    /// After how long without ``keepAlive()`` the service manager ends the daemon; `nil` without a watchdog.
    public var watchdogInterval: Duration? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0, microseconds > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    private func status(line text: String) -> String {
        // A newline would start another assignment, and containers have a say in the text.
        "STATUS=" + PrintableText.escape(text, limit: 512)
    }
}
