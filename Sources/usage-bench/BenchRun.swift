import UsageTestKit

/// The measurements in their order: trees are made first, so that they are old when a first look is timed.
struct BenchRun {
    let bench: Bench
    let scratch: ScratchDirectory

    func run() async throws {
        let sizes = bench.sizes
        bench.note("making trees and stores")
        let images = try LargeHost.make(
            in: scratch("images"),
            LargeHost.Options(
                containers: 0, imageLayers: sizes.treeLayers,
                entriesPerLayer: sizes.treeEntries / sizes.treeLayers,
                filesPerDirectory: Tree.filesPerDirectory))
        let small = [100, 10].map { sizes.containers / $0 }
        var hosts: [LargeHost] = []
        for containers in small {
            hosts.append(try makeHost(containers: containers))
        }
        let large = try makeHost(containers: sizes.containers)
        let made = ContinuousClock.now

        try await ColdScanMeasurement().run(bench)
        try await start()
        try await memory()
        var results: [HostMeasurement.Result] = []
        for host in hosts {
            let measurement = HostMeasurement(host: host)
            results.append(try await measurement.withDaemon { try await measurement.run(bench, $0) })
        }
        try await Task.sleep(until: made + sizes.settling)
        try await ScanMeasurement(host: images, entries: sizes.treeEntries).run(bench)
        results.append(try await largeHost(HostMeasurement(host: large)))
        report(results)
        try await growthOverFiles()
        try await EngineMeasurement(containers: sizes.containers / 10, files: 1_000).run(bench)
    }

    private func makeHost(containers: Int) throws -> LargeHost {
        try LargeHost.make(
            in: scratch("host-\(containers)"),
            LargeHost.Options(
                containers: containers,
                // Each container has two layers of its own.
                imageLayers: bench.sizes.layers * containers / bench.sizes.containers - 2 * containers))
    }

    private func memory() async throws {
        let files = bench.sizes.memoryFiles
        let place = scratch("memory")
        try Tree.makeDirectory(place)
        let bytes = try await MemoryMeasurement(files: files, directories: files / 10).run(below: place)
        bench.add(
            Figure(
                name: "bytes-per-file", measure: "memory for each of \(files) tracked files",
                value: bytes.file, unit: .bytes, goal: 96))
        bench.add(
            Figure(
                name: "bytes-per-directory", measure: "memory for each of their \(files / 10) directories",
                value: bytes.directory, unit: .bytes, goal: 400))
        try await Command.output(["rm", "-rf", place], deadline: .seconds(300))
    }

    /// What a daemon with nothing to follow takes.
    private func start() async throws {
        let empty = scratch("empty")
        try Tree.makeDirectory(empty)
        var starts = Samples()
        var clients = Samples()
        let client = try UsagedProcess.executable("usage-client")
        let dirty = try await BenchDaemon.with(["plain=\(empty)"]) { daemon in
            for _ in 0..<bench.sizes.runs {
                try await daemon.stop()
                starts.add(try await daemon.start().milliseconds)
                clients.add(try Timing.milliseconds([client, "--version"]))
            }
            try await Task.sleep(for: .seconds(5))
            return try ProcessUsage.privateDirtyBytes(of: daemon.processID)
        }
        bench.add(
            Figure(
                name: "idle-private-dirty", measure: "private dirty pages of a daemon with nothing to follow",
                value: Double(dirty) / 1e6, unit: .megabytes, goal: 12))
        bench.add(
            Figure(
                name: "start", measure: "start of usaged on an empty store until exact", value: starts.median,
                unit: .milliseconds))
        bench.add(
            Figure(
                name: "client-version", measure: "`usage-client --version`, start to exit",
                value: clients.median, unit: .milliseconds))
    }

    private func largeHost(_ measurement: HostMeasurement) async throws -> HostMeasurement.Result {
        let sizes = bench.sizes
        return try await measurement.withDaemon { daemon in
            let idle = try await IdleMeasurement(daemon: daemon).run(seconds: 60)
            let size = "\(sizes.containers) containers and \(sizes.layers) layers"
            bench.add(
                Figure(
                    name: "idle-percent", measure: "processor while nothing changes, \(size)",
                    value: idle.percent, unit: .percent, goal: 0.1,
                    detail: "\(Unit.perSecond.text(idle.wakeUps)) wake-ups"))
            let result = try await measurement.run(bench, daemon)
            bench.add(
                Figure(
                    name: "big-write-percent",
                    measure: "daemon, of a process that writes \(sizes.writtenBytes >> 30) GiB into one file",
                    value: try await measurement.shareOfWriting(sizes.writtenBytes, daemon), unit: .percent,
                    goal: 0.5))
            bench.add(
                Figure(
                    name: "status-milliseconds", measure: "`usage-client status`, start to exit, \(size)",
                    value: result.status.median, unit: .milliseconds, goal: 15))
            let many = try await StatusMeasurement(daemon: daemon).atOnce(1_000)
            bench.add(
                Figure(
                    name: "failed-requests", measure: "1,000 requests at once: how many failed",
                    value: Double(many.failures), unit: .count, goal: 0,
                    detail: "all answered after \(Unit.milliseconds.text(many.milliseconds))"))
            return result
        }
    }

    private func report(_ results: [HostMeasurement.Result]) {
        guard let light = results.first(where: { $0.containers == 100 }) ?? results.first,
            let large = results.last
        else { return }
        for (share, name, goal) in [(0.5, "median", 5.0), (0.99, "99th percentile", 30)] {
            bench.add(
                Figure(
                    name: "feed-\(share)",
                    measure: "returned write to feed event, \(light.containers) containers, \(name)",
                    value: light.delays.percentile(share), unit: .milliseconds, goal: goal))
        }
        bench.add(
            Figure(
                name: "feed-flooded",
                measure:
                    "the same beside a flood in another of \(large.containers) containers, 99th percentile",
                value: large.delaysBesideFlood.percentile(0.99), unit: .milliseconds, goal: 250))
        bench.add(
            Figure(
                name: "processor-per-file",
                measure:
                    "processor for each file created, written and unlinked at full speed, \(large.containers) containers",
                value: large.cost.perFile, unit: .microseconds, goal: 4,
                detail: """
                    \(Unit.perSecond.text(large.cost.filesPerSecond)); \
                    \(Unit.percent.text(large.cost.share * 100)) of one processor meanwhile
                    """))
        addGrowth("growth", over: "containers", results.map { (Double($0.containers), $0) })
    }

    private func growthOverFiles() async throws {
        var results: [FileGrowthMeasurement.Result] = []
        for part in [100, 10, 1] {
            results.append(
                try await FileGrowthMeasurement(files: bench.sizes.memoryFiles / part).run(bench, in: scratch)
            )
        }
        addGrowth(
            "file-growth-start", "exponent over files: start of usaged until exact, milliseconds",
            results.map { (Double($0.files), $0.start) })
        addGrowth(
            "file-growth-memory", "exponent over files: private dirty pages, megabytes",
            results.map { (Double($0.files), $0.memory / 1e6) })
        addGrowth("file-growth", over: "files", results.map { (Double($0.files), $0.host) })
    }

    /// What a host costs, by the number of something.
    private func addGrowth(
        _ name: String, over what: String, _ results: [(size: Double, host: HostMeasurement.Result)]
    ) {
        for (part, measure, cost) in [
            ("feed", "median from write to event, milliseconds", { $0.delays.median }),
            (
                "feed-flooded", "the same beside a flood, 99th percentile, milliseconds",
                { $0.delaysBesideFlood.percentile(0.99) }
            ),
            ("processor-per-file", "processor for each file written, microseconds", { $0.cost.perFile }),
            ("status", "`usage-client status`, milliseconds", { $0.status.median }),
        ] as [(String, String, (HostMeasurement.Result) -> Double)] {
            addGrowth(
                "\(name)-\(part)", "exponent over \(what): \(measure)",
                results.map { ($0.size, cost($0.host)) })
        }
    }

    private func addGrowth(_ name: String, _ measure: String, _ points: [(size: Double, cost: Double)]) {
        bench.add(
            Figure(
                name: name, measure: measure, value: GrowthFit.exponent(points), unit: .exponent, goal: 1,
                detail: points.map { "\($0.cost.text(digits: 2)) at \($0.size.text(digits: 0))" }
                    .joined(separator: ", ")))
    }
}
