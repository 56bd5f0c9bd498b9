import ArgumentParser
import UsageTestKit

/// What depends on the number of containers, for one number.
struct HostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Measure changes and answers on a host of so many containers.")

    @Option(help: "Containers, on nine times as many layers of images.")
    var containers = 100

    @Option(help: "Writes whose events are waited for.")
    var probes = 200

    func run() async throws {
        var sizes = Bench.Sizes()
        sizes.probes = probes
        let bench = Bench(sizes)
        let result = try await ScratchDirectory.with("bench-host") { scratch in
            let host = try LargeHost.make(
                in: scratch("host"),
                LargeHost.Options(containers: containers, imageLayers: containers * 8))
            let measurement = HostMeasurement(host: host)
            return try await measurement.withDaemon { try await measurement.run(bench, $0) }
        }
        for (name, samples) in [
            ("feed", result.delays), ("feed beside a flood", result.delaysBesideFlood),
            ("status", result.status),
        ] {
            print(
                name,
                [0.5, 0.99, 1].map { Unit.milliseconds.text(samples.percentile($0)) }
                    .joined(separator: ", "), "(median, 99th percentile, longest)")
        }
        print(
            "files: \(Unit.microseconds.text(result.cost.perFile)) of the daemon's processor for each,",
            Unit.perSecond.text(result.cost.filesPerSecond))
    }
}
