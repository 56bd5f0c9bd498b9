import Glibc
import UsageClient
import UsageTestKit
import Wire

/// The built `usaged` on one store, timed to the millisecond.
final class BenchDaemon {
    let scratch: ScratchDirectory
    private let stores: [String]
    private var process: ChildProcess?

    var socket: String { scratch("usaged.sock") }
    var connection: DaemonConnection { DaemonConnection(socket: socket) }

    /// `stores` are of the form KIND=PATH; nothing runs yet.
    private init(stores: [String]) throws {
        scratch = try ScratchDirectory("bench")
        self.stores = stores
        try scratch.write("", to: "usaged.yaml")
        try scratch.directory("state")
    }

    /// Makes one for a body, and ends and removes it after that.
    static func with<Value>(
        _ stores: [String], _ body: (BenchDaemon) async throws -> Value
    ) async throws -> Value {
        let daemon = try BenchDaemon(stores: stores)
        let value: Value
        do {
            value = try await body(daemon)
        } catch {
            try? await daemon.remove()
            throw error
        }
        try await daemon.remove()
        return value
    }

    var processID: pid_t {
        get throws {
            guard let id = process?.processID else {
                throw WaitFailure(description: "usaged has ended; it said: \(log.suffix(2_000))")
            }
            return id
        }
    }

    private var log: String { (try? ProcessFile.text(scratch("usaged.log"))) ?? "" }

    /// Starts it and waits until its figures are exact; returns how long that took from before the start.
    func start(deadline: Duration = .seconds(300)) async throws -> Duration {
        let begin = ContinuousClock.now
        let started = try await ChildProcess.start(
            [
                UsagedProcess.executable("usaged"), "--config", scratch("usaged.yaml"), "--socket", socket,
                "--state", scratch("state"),
            ] + stores.flatMap { ["--store", $0] },
            output: .file(scratch("usaged.log")), error: .file(scratch("usaged.log")), diesWithParent: true)
        process = started
        while true {
            if let health = try? connection.health(), health.exact { return ContinuousClock.now - begin }
            _ = try processID
            guard ContinuousClock.now - begin < deadline else {
                let reasons = (try? connection.status().reasons) ?? []
                throw WaitFailure(description: "usaged is not exact after \(deadline): \(reasons)")
            }
            // To ask takes processor time from what is timed, so that a long scan is asked less often.
            let elapsed = ContinuousClock.now - begin
            try await Task.sleep(for: max(.milliseconds(1), elapsed / 100))
        }
    }

    func stop() async throws {
        guard let running = process else { return }
        running.signal(SIGTERM)
        try await running.ended(within: .seconds(60))
        process = nil
    }

    /// Forgets what was measured before, as on a host that never had it.
    func forget() async throws {
        try await Command.output(["rm", "-rf", scratch("state")])
        try scratch.directory("state")
    }

    func remove() async throws {
        try await stop()
        try await scratch.remove()
    }
}
