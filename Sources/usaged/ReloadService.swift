internal import Daemon
internal import Dispatch
internal import ServiceLifecycle
internal import UnixSignals

/// Reads the configuration again at each SIGHUP.
struct ReloadService: Service {
    let daemon: UsageDaemon

    func run() async throws {
        let queue = DispatchQueue(label: "usaged.reload")
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            await withCheckedContinuation { continuation in
                queue.async {
                    daemon.reload()
                    continuation.resume()
                }
            }
        }
    }
}
