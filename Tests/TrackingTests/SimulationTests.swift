import Testing
import UsageTestKit

@Suite("The tracker on a simulated disk")
struct SimulationTests {
    @Test("whatever is done, between and during looks, the figure that is called right is a walk's")
    func random() throws {
        let first = UInt64.random(in: 0...UInt64.max / 2)
        for seed in first..<first + 20 {
            var options = TrackerSimulation.Options(seed: seed, operations: 5_000)
            if seed % 3 == 0 { options.queueLimit = 40 }
            let summary = try TrackerSimulation.run(options)
            print(summary)
            #expect(summary.comparisons > 5)
        }
    }

    @Test(
        "with one of its means taken away the tracker is wrong, so the simulation can tell",
        arguments: SimulatedDisk.Mutation.allCases)
    func mutation(_ mutation: SimulatedDisk.Mutation) {
        let found = (0..<40 as Range<UInt64>).contains { seed in
            var options = TrackerSimulation.Options(seed: seed, operations: 5_000)
            options.queueLimit = 40
            options.mutation = mutation
            do {
                _ = try TrackerSimulation.run(options)
                return false
            } catch {
                return true
            }
        }
        #expect(found, "no seed of forty told the difference")
    }
}
