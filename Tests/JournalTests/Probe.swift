import Foundation
import UsageTestKit

/// The `journal-probe` executable, run in a process of its own.
enum Probe {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Beside the test bundle.
    static let path =
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appendingPathComponent("journal-probe").path

    static func text(of file: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
    }

    /// Runs a program to its end, without the variables by which the daemon would know a service manager or a journal.
    static func run(_ program: [String], environment: [String: String] = [:]) async throws -> Result {
        let unset = ["JOURNAL_STREAM", "USAGED_LOG", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]
            .filter { environment[$0] == nil }
        let result = try await Command.run(
            ["env"] + unset.flatMap { ["--unset", $0] } + program, environment: environment)
        return Result(status: result.status, output: result.out, errors: result.err)
    }
}
