import UsageTestKit

/// The first look where nothing is in the kernel's caches, on a file system of its own.
struct ColdScanMeasurement {
    func run(_ bench: Bench) async throws {
        try await LoopFileSystem.with(.ext4, mebibytes: 4_096, isDirect: true) {
            try await run(bench, on: $0)
        }
    }

    private func run(_ bench: Bench, on disk: LoopFileSystem) async throws {
        let host = try LargeHost.make(
            in: disk.path + "/docker",
            LargeHost.Options(
                containers: 0, imageLayers: 40, entriesPerLayer: bench.sizes.coldEntries / 40,
                filesPerDirectory: Tree.filesPerDirectory))
        var du = Samples()
        var first = Samples()
        try await BenchDaemon.with(["docker=\(host.store.root)"]) { daemon in
            for _ in 0..<bench.sizes.runs {
                try await disk.unmount()
                try await disk.mount()
                du.add(try Timing.milliseconds(["du", "-s", disk.path]))
                try await daemon.forget()
                try await disk.unmount()
                try await disk.mount()
                first.add(try await daemon.start().milliseconds)
                try await daemon.stop()
            }
        }
        bench.add(
            Figure(
                name: "cold-scan/du",
                measure:
                    "first scan, \(bench.sizes.coldEntries) entries, mounted just before: start of usaged until exact, of `du -s`",
                value: first.median / du.median, unit: .ratio, goal: 0.75,
                detail: "\(Unit.milliseconds.text(first.median)) to \(Unit.milliseconds.text(du.median))"))
    }
}
