import Accounting
import UsageTestKit

/// How long a first look at everything and one after a restart take, beside tools that walk.
struct ScanMeasurement {
    let host: LargeHost
    let entries: Int

    func run(_ bench: Bench) async throws {
        let root = host.store.root + "/overlay2"
        let layers = host.store.layers.values.map(\.directory).sorted()
        let scanner = try UsagedProcess.executable("usage-bench")
        let reference = try UsagedProcess.executable("reference-scanner")
        var commands: [(name: String, arguments: [String], samples: Samples)] = [
            ("du -s", ["du", "-s", root], Samples()),
            ("C reference, 1 thread", [reference, "-t", "1", root], Samples()),
            ("C reference, 2 threads", [reference, "-t", "2", root], Samples()),
            ("scanner, 1 thread", [scanner, "scan", root], Samples()),
            ("scanner, 2 threads", [scanner, "scan", "--threads", "2"] + layers, Samples()),
            ("gdu", ["gdu", "--non-interactive", "--no-progress", "--summarize", root], Samples()),
            ("ncdu", ["ncdu", "-0", "-o", "/dev/null", root], Samples()),
        ]
        var first = Samples()
        var restart = Samples()
        _ = try Timing.run(["du", "-s", root])
        try await BenchDaemon.with(["docker=\(host.store.root)"]) { daemon in
            for _ in 0..<bench.sizes.runs {
                for index in commands.indices {
                    commands[index].samples.add(try Timing.milliseconds(commands[index].arguments))
                }
                try await daemon.forget()
                first.add(try await daemon.start().milliseconds)
                try await daemon.stop()
                restart.add(try await daemon.start().milliseconds)
                try await daemon.stop()
            }
        }

        func median(_ name: String) -> Double {
            commands.first { $0.name == name }?.samples.median ?? .nan
        }
        let du = median("du -s")
        let milliseconds = Unit.milliseconds.text
        bench.add(
            Figure(
                name: "first-scan/du",
                measure:
                    "first scan, \(entries) entries in \(layers.count) layers, warm: start of usaged until exact, of `du -s`",
                value: first.median / du, unit: .ratio, goal: 0.55,
                detail: "\(milliseconds(first.median)) to \(milliseconds(du))"))
        for threads in ["1 thread", "2 threads"] {
            let (own, other) = (median("scanner, \(threads)"), median("C reference, \(threads)"))
            bench.add(
                Figure(
                    name: "scanner-\(threads.prefix(1))/reference",
                    measure: "the scanner alone, \(threads), of the C reference", value: own / other,
                    unit: .ratio, goal: 1.10, detail: "\(milliseconds(own)) to \(milliseconds(other))"))
        }
        for peer in ["gdu", "ncdu"] {
            bench.add(
                Figure(
                    name: "\(peer)/du", measure: "\(peer), of `du -s`", value: median(peer) / du,
                    unit: .ratio,
                    detail: milliseconds(median(peer))))
        }
        bench.add(
            Figure(
                name: "restart/first-scan",
                measure: "restart with the same layers unchanged until exact, of the first scan",
                value: restart.median / first.median, unit: .ratio, goal: 0.05,
                detail: "\(milliseconds(restart.median)) to \(milliseconds(first.median))"))
    }
}
