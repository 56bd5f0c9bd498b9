package import Accounting
internal import Kernel
internal import Tracking

/// Runs a tracker against a simulated disk and compares it with a walk each time that all is quiet.
package struct TrackerSimulation {
    package struct Options: Sendable {
        package var seed: UInt64
        package var operations: Int
        /// Operations between two comparisons at most.
        package var stretch = 400
        package var queueLimit = 16_384
        /// Operations between two batches at most: the fewer, the less passes unseen.
        package var burst = 60
        /// Leaves out what no ordinary program does, files open by names that are gone, and names that come and go; and
        /// nothing happens during a look.
        package var isOrdinary = false
        package var mutation: SimulatedDisk.Mutation?

        package init(seed: UInt64, operations: Int) {
            self.seed = seed
            self.operations = operations
        }
    }

    /// A figure that the tracker called right and that a walk did not find.
    package struct Difference: Error, CustomStringConvertible, Sendable {
        package var seed: UInt64
        package var operations: Int
        package var tracked: Measure
        package var truth: Measure

        package var description: String {
            "seed \(seed), after \(operations) operations: the tracker says \(tracked), a walk \(truth)"
        }
    }

    package struct Summary: Sendable {
        package var operations = 0
        package var comparisons = 0
        package var overflows = 0
        package var audits: Int64 = 0
        /// Comparisons for which the tracker had asked for an audit.
        package var suspicions = 0
    }

    private final class Disturbance {
        var generator: SeededGenerator
        var isOn = false

        init(seed: UInt64) {
            generator = SeededGenerator(seed: seed)
        }
    }

    /// Runs, and throws at the first difference.
    package static func run(_ options: Options) throws(Difference) -> Summary {
        let disk = SimulatedDisk()
        disk.queueLimit = options.queueLimit
        disk.mutation = options.mutation
        let life = RandomLife(disk, seed: options.seed, isOrdinary: options.isOrdinary)
        let disturbance = Disturbance(seed: options.seed &+ 1)
        let fileSystem = SimulatedFileSystem(disk: disk) {
            guard disturbance.isOn, Int.random(in: 0..<8, using: &disturbance.generator) == 0 else { return }
            disturbance.isOn = false
            life.step()
            disturbance.isOn = true
        }
        let tracker = LayerTracker(fileSystem: fileSystem, settleSeconds: [35, 320])
        var summary = Summary()
        var now: Int64 = 1_000_000_000
        func drain() {
            disk.drain { event in
                if event.mask.contains(.queueOverflow) { tracker.noteOverflow() } else { tracker.note(event) }
            }
        }
        func batch() {
            now += 25_000_000
            drain()
            tracker.markSettled(by: now)
            // Its time comes sooner or later, and others work meanwhile.
            if tracker.needsAudit, Bool.random(using: &disturbance.generator) { tracker.audit() }
            _ = tracker.runBatch(now: now) { drain() }
        }
        while life.operations < options.operations {
            let target = life.operations + Int.random(in: 1...options.stretch, using: &disturbance.generator)
            while life.operations < target {
                for _ in 0..<Int.random(in: 1...options.burst, using: &disturbance.generator) { life.step() }
                if Int.random(in: 0..<40, using: &disturbance.generator) == 0 {
                    // Long enough that the kernel has written everything back.
                    disk.writeBack()
                    now += 40_000_000_000
                }
                disturbance.isOn = !options.isOrdinary && Bool.random(using: &disturbance.generator)
                batch()
                disturbance.isOn = false
            }
            life.rest()
            // As a barrier does: what is queued, then what may have changed silently, then what is suspect.
            drain()
            tracker.markUnsettled()
            batch()
            var rounds = 0
            while !tracker.isAnswered, rounds < 20 {
                if tracker.needsAudit {
                    summary.suspicions += 1
                    tracker.audit()
                }
                batch()
                rounds += 1
            }
            summary.comparisons += 1
            let truth = disk.truth()
            let expected = Measure(diskBytes: truth.disk, sizeBytes: truth.size, inodes: truth.inodes)
            guard tracker.measure.total == expected else {
                throw Difference(
                    seed: options.seed, operations: life.operations, tracked: tracker.measure.total,
                    truth: expected)
            }
        }
        summary.operations = life.operations
        summary.overflows = disk.overflows
        summary.audits = tracker.counters.audits
        return summary
    }
}
