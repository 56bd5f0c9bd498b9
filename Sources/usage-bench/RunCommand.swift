import ArgumentParser
import Foundation
import UsageTestKit

/// All measurements in one run.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Measure everything, and write the table and the file of ratios.",
        discussion: """
            It needs root: it mounts a file system of its own and runs engines. Trees and stores are made below
            USAGED_TEST_SCRATCH, or /var/tmp, and removed at the end.
            """)

    @Flag(help: "A tenth of everything, to try the measurements out; its figures say little.")
    var trial = false

    @Option(help: "The document to put the table into, between its marks.")
    var table: String?

    @Option(help: "The file to write all figures to, as JSON.")
    var json: String?

    func run() async throws {
        let bench = Bench(trial ? .trial : Bench.Sizes())
        try await ScratchDirectory.with("bench-trees", removedWithin: .seconds(900)) { scratch in
            try await BenchRun(bench: bench, scratch: scratch).run()
            let report = BenchReport(
                machine: try await Machine.this(measuring: scratch.path), figures: bench.figures)
            print(report.machine.text)
            print(report.table())
            if let table { try report.write(into: table) }
            if let json { try report.json().write(to: URL(fileURLWithPath: json)) }
        }
    }
}
