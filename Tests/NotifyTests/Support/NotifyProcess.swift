import Foundation
import Glibc
import Synchronization
import UsageTestKit

/// The built `usage-client notify`, with a configuration and a state directory of the test's.
final class NotifyProcess: Sendable {
    private let scratch: ScratchDirectory
    private let arguments: [String]
    private let child = Mutex<ChildProcess?>(nil)

    init(_ scratch: ScratchDirectory, socket: String, receivers: String) throws {
        self.scratch = scratch
        let configuration = "log_level: debug\nnotify:\n  receivers:\n" + receivers
        arguments = [
            try UsagedProcess.executable("usage-client"), "notify", "--socket", socket, "--config",
            try scratch.write(configuration, to: "notify.yaml"), "--state", scratch("notify"),
        ]
    }

    /// What it logged in all its runs.
    var log: String { (try? String(contentsOfFile: scratch("notify.log"), encoding: .utf8)) ?? "" }

    /// How many lines of the log hold a text.
    func count(_ text: String) -> Int { log.components(separatedBy: "\n").count { $0.contains(text) } }

    var exit: ChildProcess.Exit? { child.withLock { $0 }?.exit }

    func start(environment: [String: String] = [:]) async throws {
        let process = try await ChildProcess.start(
            arguments, environment: ["USAGED_LOG": "stderr"].merging(environment) { $1 },
            output: .file(scratch("notify.log")), error: .file(scratch("notify.log")), diesWithParent: true)
        child.withLock { $0 = process }
    }

    func kill() async throws {
        guard let process = child.withLock({ $0 }) else { return }
        process.signal(SIGKILL, group: true)
        try await process.ended(within: .seconds(10))
    }

    @discardableResult
    func terminate() async throws -> Int32 {
        guard let process = child.withLock({ $0 }) else { return 0 }
        process.signal(SIGTERM)
        return try await process.ended(within: .seconds(15)).status
    }
}

/// Runs a test in a directory of its own, with the log of `notify` in what is thrown.
func withNotifyScratch(_ body: (ScratchDirectory) async throws -> Void) async throws {
    let scratch = try ScratchDirectory("notify")
    do {
        try await body(scratch)
    } catch {
        let log = (try? String(contentsOfFile: scratch("notify.log"), encoding: .utf8)) ?? ""
        try? await scratch.remove()
        throw WaitFailure(description: "\(error)\nnotify said:\n\(log.suffix(4000))")
    }
    try await scratch.remove()
}
