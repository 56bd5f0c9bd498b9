import ArgumentParser
import Foundation
import UsageTestKit

/// The measurements that hardly depend on the machine, against bounds that are kept with the source.
struct QuickCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quick",
        abstract: "Count what a scan, a file and a change cost, and fail where one got worse than its bound.",
        discussion: """
            It counts system calls and instructions with strace and valgrind, and bytes of the heap; times are ratios in
            one run.
            """)

    @Argument(help: "The file with the bounds: JSON, the name of each figure with the most that it may be.")
    var bounds: String

    func run() async throws {
        let most = try JSONDecoder().decode(
            [String: Double].self, from: Data(contentsOf: URL(fileURLWithPath: bounds)))
        let bench = Bench(.trial)
        try await ScratchDirectory.with("bench-quick") { scratch in
            try await QuickRun(bench: bench, scratch: scratch, bounds: most).run()
        }
        let unmeasured = Set(most.keys).subtracting(bench.figures.map(\.name)).sorted()
        let worse = bench.figures.filter { $0.isMet == false }
        for figure in worse {
            bench.note(
                "\(figure.name) is \(figure.unit.text(figure.value)), and \(bounds) allows "
                    + figure.unit.text(figure.goal ?? .nan))
        }
        for name in unmeasured { bench.note("\(bounds) has a bound for \(name), which nothing measures") }
        guard worse.isEmpty, unmeasured.isEmpty else { throw ExitCode(1) }
    }
}
