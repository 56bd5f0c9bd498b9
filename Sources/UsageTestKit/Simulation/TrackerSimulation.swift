package import Accounting
internal import Kernel
package import Tracking

/// Runs trackers and a ledger against a simulated disk and compares them with a walk each time that all is quiet.
package final class TrackerSimulation {
    /// How many layers there are, and whether they have one inotify instance or one each.
    package enum Layout: Hashable, CaseIterable, Sendable {
        case one, twoOfOneInstance, twoInstances

        var layers: Int { self == .one ? 1 : 2 }
        var instances: Int { self == .twoInstances ? 2 : 1 }
    }

    package struct Options: Sendable {
        package var seed: UInt64
        package var operations: Int
        package var layout = Layout.one
        /// Operations between two comparisons at most.
        package var stretch = 400
        package var queueLimit = 16_384
        package var bounds = MarkBounds()
        /// Operations between two batches at most: the fewer, the less passes unseen.
        package var burst = 60
        /// Leaves out what no ordinary program does, files open by names that are gone, and names that come and go; and
        /// nothing happens during a look.
        package var isOrdinary = false
        /// Few names in few directories, so that they meet all the time.
        package var isNarrow = false
        /// Reads at times only some of the events that wait, as a limit of each reading makes it.
        package var readsInParts = false
        package var mutation: SimulatedDisk.Mutation?

        package init(seed: UInt64, operations: Int) {
            self.seed = seed
            self.operations = operations
        }
    }

    /// A figure that was called right and that a walk did not find.
    package struct Difference: Error, CustomStringConvertible, Sendable {
        package var options: Options
        package var operations: Int
        /// `layer 0`, or `the sum` that the ledger makes.
        package var subject: String
        package var figure: Measure
        package var truth: Measure

        package var description: String {
            "\(options), after \(operations) operations: \(subject) is said to be \(figure), by a walk \(truth)"
        }
    }

    package struct Summary: Sendable {
        package var operations = 0
        package var comparisons = 0
        package var overflows = 0
        package var audits: Int64 = 0
        /// Comparisons for which a tracker had asked for an audit.
        package var suspicions = 0
    }

    private final class Disturbance {
        var generator: SeededGenerator
        var isOn = false

        init(seed: UInt64) {
            generator = SeededGenerator(seed: seed)
        }
    }

    private struct Layer {
        let key: LayerKey
        let root: SimulatedDisk.Node
        let tracker: LayerTracker<SimulatedFileSystem>
    }

    private let options: Options
    private let disk: SimulatedDisk
    private let life: RandomLife
    private let disturbance: Disturbance
    private let layers: [Layer]
    private let owners: [WatchOwners]
    private var ledger = Ledger()
    private var now: Int64 = 1_000_000_000
    /// The wall clock when the queues were last empty.
    private var drainedAt: Int64 = 0
    /// How often reading the queues was begun, and the last of these times that left nothing in them.
    private var drains = (begun: 0, emptied: 0)
    private var summary = Summary()

    /// Runs, and throws at the first difference.
    package static func run(_ options: Options) throws(Difference) -> Summary {
        try TrackerSimulation(options).run()
    }

    private init(_ options: Options) {
        self.options = options
        let disk = SimulatedDisk(layers: options.layout.layers, instances: options.layout.instances)
        disk.mutation = options.mutation
        for instance in disk.instances { instance.queueLimit = options.queueLimit }
        let owners = disk.instances.map { _ in WatchOwners() }
        let life = RandomLife(
            disk, seed: options.seed, isOrdinary: options.isOrdinary, isNarrow: options.isNarrow
        ) { directory, layer in
            let instance = layer % owners.count
            return directory.watches[instance].map { owners[instance].owner(of: $0) == layer } ?? false
        }
        let disturbance = Disturbance(seed: options.seed &+ 1)
        let store = StoreIdentity(engine: "plain", driver: "plain", root: "/simulated")
        layers = disk.roots.enumerated().map { index, root in
            let instance = index % disk.instances.count
            let fileSystem = SimulatedFileSystem(
                disk: disk, root: root, inotify: disk.instances[instance], owners: owners[instance],
                layer: index
            ) {
                guard disturbance.isOn, Int.random(in: 0..<8, using: &disturbance.generator) == 0 else {
                    return
                }
                disturbance.isOn = false
                life.step()
                disturbance.isOn = true
            }
            let tracker = LayerTracker(
                fileSystem: fileSystem, settleSeconds: [35, 320], bounds: options.bounds)
            tracker.wallClock = { disk.clock }
            return Layer(
                key: LayerKey(store: store, id: "layer \(index)"), root: root, tracker: tracker)
        }
        self.disk = disk
        self.life = life
        self.disturbance = disturbance
        self.owners = owners
        let facts = layers.map {
            LayerFact(id: $0.key.id, kind: .container, directory: "\(store.root)/\($0.key.id)")
        }
        _ = ledger.update(
            StoreFacts(
                store: store, layers: facts,
                containers: facts.map { ContainerFact(id: $0.id, name: $0.id, layer: $0.id) }))
        for layer in layers {
            layer.tracker.queuedSince = { [unowned self] in drainedAt }
            layer.tracker.queueReads = { [unowned self] in drains }
        }
    }

    private func run() throws(Difference) -> Summary {
        while life.operations < options.operations {
            let target = life.operations + Int.random(in: 1...options.stretch, using: &disturbance.generator)
            while life.operations < target { pass() }
            life.rest()
            settle()
            try compare()
            if layers.count > 1 {
                for _ in 0..<Int.random(in: 0..<3, using: &disturbance.generator) { life.linkAcrossLayers() }
                settle()
                try compare()
            }
        }
        summary.operations = life.operations
        summary.overflows = disk.instances.map(\.overflows).reduce(0, +)
        summary.audits = layers.map(\.tracker.counters.audits).reduce(0, +)
        return summary
    }

    /// Some operations, and a batch, during which there may be more.
    private func pass() {
        for _ in 0..<Int.random(in: 1...options.burst, using: &disturbance.generator) { life.step() }
        if Int.random(in: 0..<40, using: &disturbance.generator) == 0 {
            // Long enough that the kernel has written everything back.
            disk.writeBack(afterNanoseconds: 40_000_000_000)
            now += 40_000_000_000
        }
        disturbance.isOn = !options.isOrdinary && Bool.random(using: &disturbance.generator)
        runBatches()
        disturbance.isOn = false
    }

    /// As a barrier does: what is queued, then what may have changed silently, then what is suspect.
    private func settle() {
        drain(isPartial: false)
        for layer in layers { layer.tracker.markUnsettled() }
        runBatches()
        for _ in 0..<20 where !layers.allSatisfy(\.tracker.isAnswered) {
            for layer in layers where layer.tracker.needsAudit {
                summary.suspicions += 1
                layer.tracker.audit()
            }
            runBatches()
        }
    }

    private func runBatches() {
        now += 25_000_000
        drain()
        for layer in layers {
            layer.tracker.markSettled(by: now)
            // Its time comes sooner or later, and others work meanwhile.
            if layer.tracker.needsAudit, Bool.random(using: &disturbance.generator) { layer.tracker.audit() }
            _ = layer.tracker.runBatch(now: now) { [unowned self] in drain() }
            guard let files = layer.tracker.takeChangedLinks() else { continue }
            for other in layers where other.key != layer.key { other.tracker.note(files) }
        }
    }

    /// Reads what is queued, or where `isPartial`, at times a part of it.
    private func drain(isPartial: Bool = true) {
        drains.begun += 1
        let began = disk.clock
        let isCut =
            isPartial && options.readsInParts && Int.random(in: 0..<8, using: &disturbance.generator) == 0
        defer {
            if disk.instances.allSatisfy({ !$0.hasEvents }) {
                (drainedAt, drains.emptied) = (began, drains.begun)
            }
        }
        for (index, instance) in disk.instances.enumerated() {
            let limit = isCut ? Int.random(in: 0..<8, using: &disturbance.generator) : Int.max
            instance.drain(limit: limit) { event in
                if event.mask.contains(.queueOverflow) {
                    owners[index].forgetGiven()
                    for layer in stride(from: index, to: layers.count, by: disk.instances.count) {
                        layers[layer].tracker.noteOverflow()
                    }
                } else if let layer = owners[index].addressee(of: event.watch) {
                    layers[layer].tracker.note(event)
                    if event.mask.contains(.ignored) { _ = owners[index].end(event.watch) }
                }
            }
        }
    }

    private func compare() throws(Difference) {
        summary.comparisons += 1
        for layer in layers {
            try compare(layer.key.id, layer.tracker.measure.total, [layer.root])
            ledger.record(layer.key, layer.tracker.measure, confidence: .exact)
        }
        try compare("the sum", ledger.snapshot().totals.containers.measure, disk.roots)
    }

    private func compare(
        _ subject: String, _ figure: Measure, _ tops: [SimulatedDisk.Node]
    ) throws(Difference) {
        let truth = disk.walk(tops)
        let expected = Measure(diskBytes: truth.disk, sizeBytes: truth.size, inodes: truth.inodes)
        guard figure == expected else {
            throw Difference(
                options: options, operations: life.operations, subject: subject, figure: figure,
                truth: expected)
        }
    }
}
