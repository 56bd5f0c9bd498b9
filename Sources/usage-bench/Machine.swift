import Glibc
import UsageTestKit

/// The machine that a run was on, as far as it explains the figures.
struct Machine {
    let text: String

    static func this(measuring directory: String) async throws -> Machine {
        let information = try ProcessFile.text("/proc/cpuinfo")
        let model =
            information.split(separator: "\n").first { $0.hasPrefix("model name") }
            .flatMap { $0.split(separator: ":", maxSplits: 1).last }
            .map { $0.trimmingPrefix { $0 == " " || $0 == "\t" } } ?? "unknown processor"
        let system = try await Command.output(["uname", "-sr"]).split(separator: "\n").joined()
        let fileSystem = try await Command.output(["stat", "-f", "-c", "%T", directory])
            .split(separator: "\n").joined()
        let date = try await Command.output(["date", "-u", "+%Y-%m-%d"]).split(separator: "\n").joined()
        let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        return Machine(
            text: "\(date), \(processors) processors (\(model)), \(system), \(fileSystem)")
    }
}
