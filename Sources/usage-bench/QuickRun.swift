import Foundation
import UsageTestKit

/// The measurements of the short run, each beside its bound.
struct QuickRun {
    let bench: Bench
    let scratch: ScratchDirectory
    let bounds: [String: Double]

    func run() async throws {
        let trees = try [5_000, 10_000].map { entries in
            let path = scratch("tree-\(entries)")
            try Tree.makeDirectory(path)
            return (path: path, entries: try Tree.make(at: path, entries: entries, seed: 1))
        }
        try await scan(small: trees[0], large: trees[1])
        try times(trees[1].path)
        try await memory()
        try changes()
        try await daemon(trees[1].path)
    }

    private func add(_ name: String, _ measure: String, _ value: Double, _ unit: Unit, detail: String = "") {
        bench.add(
            Figure(
                name: name, measure: measure, value: value, unit: unit, goal: bounds[name], detail: detail))
    }

    /// The difference of two trees, so that what a start costs is left out.
    private func scan(
        small: (path: String, entries: Int), large: (path: String, entries: Int)
    ) async throws {
        let entries = Double(large.entries - small.entries)
        let calls = try await systemCalls(large.path) - systemCalls(small.path)
        add("scan-system-calls", "system calls for each entry of a scan", calls / entries, .count)
        let instructions = try await instructions(large.path) - instructions(small.path)
        add(
            "scan-instructions", "instructions in user space for each entry of a scan",
            instructions / entries,
            .count)
    }

    private func systemCalls(_ path: String) async throws -> Double {
        let summary = scratch("calls")
        try await Command.output(
            ["strace", "-f", "-c", "-o", summary, try UsagedProcess.executable("usage-bench"), "scan", path],
            deadline: .seconds(60))
        let text = try String(contentsOfFile: summary, encoding: .utf8)
        // % time, seconds, usecs/call, calls, errors where there were any, "total".
        let total = text.split(separator: "\n").last { $0.hasSuffix("total") }?.split(separator: " ") ?? []
        guard total.count >= 4, let calls = Double(total[3]) else {
            throw WaitFailure(description: "strace wrote no total: \(text.suffix(500))")
        }
        return calls
    }

    private func instructions(_ path: String) async throws -> Double {
        // Valgrind gives up on debug information that is newer than itself.
        let scanner = scratch("scanner")
        try await Command.output(["strip", "-o", scanner, try UsagedProcess.executable("usage-bench")])
        let result = try await Command.run(
            [
                "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", scanner, "scan", path,
            ], deadline: .seconds(120))
        let line = result.err.split(separator: "\n").last { $0.contains("Collected :") }
        guard result.status == 0, let count = line.flatMap({ Double($0.split(separator: " ").last ?? "") })
        else { throw WaitFailure(description: "valgrind counted nothing: \(result.err.suffix(1_000))") }
        return count
    }

    private func times(_ path: String) throws {
        let scanner = try UsagedProcess.executable("usage-bench")
        let reference = try UsagedProcess.executable("reference-scanner")
        // Of processor time, which other work on the machine changes least.
        var (own, other) = (Samples(), Samples())
        for _ in 0..<9 {
            own.add(try Timing.run([scanner, "scan", path]).processorMilliseconds)
            other.add(try Timing.run([reference, path]).processorMilliseconds)
        }
        add(
            "scan/reference", "processor time of a scan, of the C reference", own.least / other.least, .ratio,
            detail: "\(Unit.milliseconds.text(own.least)) to \(Unit.milliseconds.text(other.least))")
    }

    private func memory() async throws {
        let place = scratch("memory")
        try Tree.makeDirectory(place)
        let bytes = try await MemoryMeasurement(files: 40_000, directories: 4_000).run(below: place)
        add("bytes-per-file", "memory for each of 40,000 tracked files", bytes.file, .bytes)
        add("bytes-per-directory", "memory for each of 4,000 tracked directories", bytes.directory, .bytes)
    }

    private func changes() throws {
        let costs = [100, 1_000].map { (size: Double($0), cost: LedgerMeasurement(containers: $0).run()) }
        add(
            "change-growth", "exponent over containers: processor for one container's change",
            GrowthFit.exponent(costs), .exponent,
            detail: costs.map { "\($0.cost.text(digits: 1)) µs at \($0.size.text(digits: 0))" }
                .joined(separator: ", "))
    }

    private func daemon(_ path: String) async throws {
        try await BenchDaemon.with(["plain=\(path)"]) { daemon in
            _ = try await daemon.start()
            try await Task.sleep(for: .seconds(2))
            let idle = try await IdleMeasurement(daemon: daemon).run(seconds: 10)
            add("idle-wake-ups", "wake-ups while nothing changes", idle.wakeUps, .perSecond)
        }
    }
}
