import UsageTestKit

/// What depends on how many files are followed, for one number of them in the writable layers of ten containers.
struct FileGrowthMeasurement {
    struct Result {
        var files: Int
        /// From the start of the daemon until it is exact, milliseconds.
        var start: Double
        /// The daemon's private dirty pages, bytes.
        var memory: Double
        var host: HostMeasurement.Result
    }

    static let containers = 10

    let files: Int

    func run(_ bench: Bench, in scratch: ScratchDirectory) async throws -> Result {
        let place = scratch("files-\(files)")
        let host = try LargeHost.make(
            in: place,
            LargeHost.Options(
                containers: Self.containers, imageLayers: 2 * Self.containers,
                entriesPerContainer: files / Self.containers, filesPerDirectory: Tree.filesPerDirectory))
        bench.note("\(files) files in the layers of \(Self.containers) containers")
        let result = try await BenchDaemon.with(["docker=\(host.store.root)"]) { daemon in
            let start = try await daemon.start().milliseconds
            let memory = try ProcessUsage.privateDirtyBytes(of: daemon.processID)
            let measured = try await HostMeasurement(host: host).run(bench, daemon)
            return Result(files: files, start: start, memory: Double(memory), host: measured)
        }
        try await Command.output(["rm", "-rf", place], deadline: .seconds(300))
        return result
    }
}
