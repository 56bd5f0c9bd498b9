import UsageTestKit

/// The first look where nothing is in the kernel's caches, on a file system of its own.
struct ColdScanMeasurement {
    func run(_ bench: Bench) async throws {
        let disk = try await LoopFileSystem.make(.ext4, mebibytes: 4_096, isDirect: true)
        do {
            try await run(bench, on: disk)
        } catch {
            try? await disk.remove()
            throw error
        }
        try await disk.remove()
    }

    private func run(_ bench: Bench, on disk: LoopFileSystem) async throws {
        let host = try LargeHost.make(
            in: disk.path + "/docker",
            LargeHost.Options(
                containers: 0, imageLayers: 40, entriesPerLayer: bench.sizes.coldEntries / 40,
                filesPerDirectory: Tree.filesPerDirectory))
        let daemon = try BenchDaemon(stores: ["docker=\(host.store.root)"])
        var du = Samples()
        var first = Samples()
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
        try await daemon.remove()
        bench.add(
            Figure(
                name: "cold-scan/du",
                measure:
                    "first scan, \(bench.sizes.coldEntries) entries, mounted just before: start of usaged until exact, of `du -s`",
                value: first.median / du.median, unit: .ratio, goal: 0.75,
                detail: "\(Unit.milliseconds.text(first.median)) to \(Unit.milliseconds.text(du.median))"))
    }
}
