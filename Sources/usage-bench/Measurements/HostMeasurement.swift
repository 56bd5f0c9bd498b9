import Accounting
import UsageTestKit

/// A host of so many containers, and all that depends on how many there are.
struct HostMeasurement {
    struct Result {
        var containers: Int
        var delays: Samples
        var delaysBesideFlood: Samples
        var cost: ChangeMeasurement.Cost
        var status: Samples
    }

    let host: LargeHost

    private var containers: [(id: String, upper: String)] {
        zip(host.containers, host.upperDirectories).map { ($0.id, $1) }
    }

    func withDaemon<Value>(_ body: (BenchDaemon) async throws -> Value) async throws -> Value {
        try await BenchDaemon.with(["docker=\(host.store.root)"]) { daemon in
            _ = try await daemon.start()
            return try await body(daemon)
        }
    }

    /// What grows with the number of containers.
    func run(_ bench: Bench, _ daemon: BenchDaemon) async throws -> Result {
        bench.note("a host of \(host.containers.count) containers")
        let changes = ChangeMeasurement(daemon: daemon, containers: containers)
        return Result(
            containers: host.containers.count, delays: try changes.delays(bench.sizes.probes),
            delaysBesideFlood: try changes.delaysBesideFlood(bench.sizes.probes),
            cost: try await changes.costOfFiles(bench.sizes.eventFiles),
            status: try StatusMeasurement(daemon: daemon).command(runs: 30))
    }

    func shareOfWriting(_ bytes: Int, _ daemon: BenchDaemon) async throws -> Double {
        try await ChangeMeasurement(daemon: daemon, containers: containers).shareOfWriting(bytes)
    }
}
