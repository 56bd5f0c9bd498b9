internal import Daemon
internal import Dispatch
internal import ServiceLifecycle
internal import UnixSignals

/// Reads the configuration again at each SIGHUP.
struct ReloadService: Service, CustomStringConvertible {
    /// See ``UsageDaemon/description``.
    var description: String { "reload" }

    let daemon: UsageDaemon
    /// Trapped since before the daemon was ready: a SIGHUP that came meanwhile waits in it.
    let hangups: UnixSignalsSequence

    func run() async throws {
        let queue = DispatchQueue(label: "usaged.reload")
        for await _ in hangups.cancelOnGracefulShutdown() {
            await withCheckedContinuation { continuation in
                queue.async {
                    daemon.reload()
                    continuation.resume()
                }
            }
        }
    }
}
