import UsageTestKit

/// The engine's own answers beside the daemon's, on the same store of a real `dockerd`.
struct EngineMeasurement {
    /// Containers that the engine creates, and files in each.
    let containers: Int
    let files: Int

    func run(_ bench: Bench) async throws {
        let engine = try await DockerEngine.start()
        do {
            try await run(bench, engine)
        } catch {
            try? await engine.stop()
            throw error
        }
        try await engine.stop()
    }

    private func run(_ bench: Bench, _ engine: DockerEngine) async throws {
        try await engine.build(tag: "bench", dockerfile: "FROM scratch\nLABEL bench=1\n")
        for index in 0..<containers {
            let id = try await engine.docker("create", "--name", "bench-\(index)", "bench", "/nothing")
            let upper = try await engine.upperDirectory(of: id.filter { !$0.isWhitespace })
            try Tree.make(at: upper, entries: files, seed: UInt64(index))
        }
        try await BenchDaemon.with(["docker=\(engine.dataRoot)"]) { daemon in
            _ = try await daemon.start()
            try measure(bench, engine, daemon)
        }
    }

    private func measure(_ bench: Bench, _ engine: DockerEngine, _ daemon: BenchDaemon) throws {
        let client = try UsagedProcess.executable("usage-client")
        let docker = ["docker", "--host", "unix://\(engine.socket)"]
        var own = Samples()
        var df = Samples()
        var list = Samples()
        for _ in 0..<bench.sizes.runs {
            own.add(try Timing.milliseconds([client, "--socket", daemon.socket, "status"]))
            df.add(try Timing.milliseconds(docker + ["system", "df"]))
            list.add(try Timing.milliseconds(docker + ["ps", "--all", "--size"]))
        }
        let size = "\(containers) containers of \(files) files"
        let milliseconds = Unit.milliseconds.text
        bench.add(
            Figure(
                name: "status/docker-system-df",
                measure: "`usage-client status`, of `docker system df`, \(size)",
                value: own.median / df.median, unit: .ratio, goal: 0.05,
                detail: "\(milliseconds(own.median)) to \(milliseconds(df.median))"))
        bench.add(
            Figure(
                name: "status/docker-ps-s", measure: "the same, of `docker ps -as`",
                value: own.median / list.median, unit: .ratio,
                detail: "\(milliseconds(own.median)) to \(milliseconds(list.median))"))
    }
}
