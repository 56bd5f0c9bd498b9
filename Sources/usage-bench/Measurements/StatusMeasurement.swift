import Foundation
import Synchronization
import UsageClient
import UsageTestKit

/// How long an answer takes.
struct StatusMeasurement {
    let daemon: BenchDaemon

    /// `usage-client status` from start to exit, milliseconds.
    func command(runs: Int) throws -> Samples {
        let client = try UsagedProcess.executable("usage-client")
        var samples = Samples()
        for _ in 0..<runs {
            samples.add(try Timing.milliseconds([client, "--socket", daemon.socket, "status"]))
        }
        return samples
    }

    /// How many of so many requests at once fail, and how long all took, milliseconds.
    func atOnce(_ count: Int) async throws -> (failures: Int, milliseconds: Double) {
        let connection = DaemonConnection(socket: daemon.socket, timeout: .seconds(120))
        let state = RequestCount(left: count)
        let begin = ContinuousClock.now
        for _ in 0..<count {
            let thread = Thread { state.ended((try? connection.body(.status)) != nil) }
            thread.stackSize = 256 << 10
            thread.start()
        }
        while state.left > 0 { try await Task.sleep(for: .milliseconds(2)) }
        return (state.failures, (ContinuousClock.now - begin).milliseconds)
    }
}

/// Requests that run at once.
private final class RequestCount: Sendable {
    private let counts: Mutex<(left: Int, failures: Int)>

    init(left: Int) {
        counts = Mutex((left, 0))
    }

    var left: Int { counts.withLock { $0.left } }
    var failures: Int { counts.withLock { $0.failures } }

    func ended(_ isAnswered: Bool) {
        counts.withLock {
            $0.left -= 1
            if !isAnswered { $0.failures += 1 }
        }
    }
}
