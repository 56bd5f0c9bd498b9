internal import Accounting
internal import Glibc
internal import Kernel
internal import Tracking
internal import Wire

extension StatusAnswers {
    /// Descriptors that the daemon may come to need beside two for each store: those held back, connections, the rest.
    private static let openFilesNeeded = 256
    /// Of tracking: one for each of its threads.
    private static let trackingInstances = TrackingOptions().shards

    func doctor() async -> DoctorFacts {
        let looked = await look()
        let snapshot = looked.snapshot
        let tracked = tracking.counters
        let open = try? OpenDescriptors.current()
        let held = snapshot.sources.map(\.watches).reduce(0, +)
        let ofMetadata = max(0, held - Int(tracked.watches))
        let stores = snapshot.sources.count
        let silences = snapshot.sources.compactMap { overlay.reason(driver: $0.store.driver) }
        let instances = open?.inotifyInstances ?? 0
        // Where it cannot be read, nothing is claimed.
        let maySearch = ProcessCapabilities.current?.contains(.readSearch) ?? true
        return DoctorFacts(
            time: looked.time, version: version, kernel: KernelRelease.current.map { "\($0)" },
            uid: geteuid(),
            missingCapabilities: maySearch ? [] : [ProcessCapabilities.Capability.readSearch.name],
            exact: looked.isExact, reasons: looked.reasons,
            watches: DoctorFacts.Supply(
                used: ofMetadata + Int(tracked.watches), needed: ofMetadata + Int(tracked.watchesNeeded),
                limit: KernelLimits.watches.map(DoctorFacts.Limit.init)),
            watchBudget: watchBudget.map { DoctorFacts.Limit(value: $0, setting: "tracking.watch_budget") },
            instances: DoctorFacts.Supply(
                used: instances, needed: max(instances, Self.trackingInstances + stores),
                limit: KernelLimits.instances.map(DoctorFacts.Limit.init)),
            queue: DoctorFacts.Queue(
                length: tracked.queueLength, limit: KernelLimits.queuedEvents.map(DoctorFacts.Limit.init),
                overflows: tracked.overflows),
            openFiles: DoctorFacts.Supply(
                used: open?.count ?? 0, needed: max(Self.openFilesNeeded + 2 * stores, open?.count ?? 0),
                limit: KernelLimits.openFiles.map {
                    DoctorFacts.Limit(value: $0, setting: "LimitNOFILE= of usaged.service")
                }),
            openFilesLent: DescriptorReserve.lent.count,
            inodes: DoctorFacts.Supply(
                used: Int(tracked.inodes), needed: Int(tracked.inodes),
                limit: DoctorFacts.Limit(value: Int(tracked.inodeLimit), setting: "")),
            silences: Set(silences).sorted(), sources: sources(looked),
            containers: containers(looked).filter { $0.state != .exact }
                .prefix(DoctorFacts.containerLimit).map(DoctorFacts.Container.init),
            configurationProblem: configuration.problem)
    }
}

extension DoctorFacts.Limit {
    fileprivate init(_ limit: KernelLimits.Limit) {
        self.init(value: limit.value, setting: limit.setting)
    }
}

extension DoctorFacts.Container {
    fileprivate init(_ container: Wire.Container) {
        self.init(
            root: container.root, id: container.id, name: container.name, state: container.state,
            reason: container.reason)
    }
}
