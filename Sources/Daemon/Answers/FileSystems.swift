internal import Accounting
internal import Kernel
internal import Synchronization
internal import Wire

/// How full the file systems of the stores are; asked of the kernel on a thread of its own, for a file system
/// behind a dead network answers never.
final class FileSystems: Sendable {
    /// The file system that holds a store.
    struct Sample: Sendable {
        var mount: String
        var status: FileSystemStatus
    }

    private struct State {
        var samples: [String: Sample] = [:]
        var isAsking = false
        var waiting: [FirstResult<Bool>] = []
    }

    private static let patienceMilliseconds = 250
    private let state = Mutex(State())
    private let mounts = Mutex(CurrentMounts())

    /// The file system of each root, as it is now; as it last was where the kernel takes long.
    func samples(of roots: [String]) async -> [String: Sample] {
        let result = FirstResult<Bool>()
        let mustAsk = state.withLock { state in
            state.waiting.append(result)
            defer { state.isAsking = true }
            return !state.isAsking
        }
        if mustAsk { NamedThread.start("statfs") { [self] in ask(roots) } }
        let isInTime = await result.value(withinMilliseconds: Self.patienceMilliseconds, otherwise: false)
        return state.withLock { state in
            if !isInTime { state.waiting.removeAll { $0 === result } }
            return state.samples
        }
    }

    /// Asks the kernel unless it has not answered the last time, and calls `body` with what it said.
    func refresh(of roots: [String], _ body: @escaping @Sendable ([String: Sample]) -> Void) {
        let mustAsk = state.withLock { state in
            defer { state.isAsking = true }
            return !state.isAsking
        }
        guard mustAsk else { return }
        NamedThread.start("statfs") { [self] in
            ask(roots)
            body(state.withLock { $0.samples })
        }
    }

    private func ask(_ roots: [String]) {
        let mounts = mounts.withLock { try? $0.table() }
        var samples: [String: Sample] = [:]
        for root in roots {
            guard let status = try? FileSystemStatus.of(path: root) else { continue }
            samples[root] = Sample(mount: mounts?.mount(holding: root)?.path ?? root, status: status)
        }
        let waiting = state.withLock { state in
            state.samples = samples
            state.isAsking = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for result in waiting { result.give(true) }
    }
}

extension FileSystem {
    /// Used bytes by mount.
    static func used(_ samples: [String: FileSystems.Sample], _ snapshot: UsageSnapshot) -> [String: Int64] {
        Dictionary(
            list(samples, snapshot).map { ($0.mount, $0.usedBytes) }, uniquingKeysWith: { first, _ in first })
    }

    /// The mount in ``list(_:_:)`` by which each store's file system is named.
    static func mounts(
        _ samples: [String: FileSystems.Sample], _ snapshot: UsageSnapshot
    ) -> [StoreIdentity: String] {
        var mounts: [UInt64: String] = [:]
        for source in snapshot.sources {
            guard let sample = samples[source.store.root] else { continue }
            let known = mounts[sample.status.device]
            if let known, known.utf8.count <= sample.mount.utf8.count { continue }
            mounts[sample.status.device] = sample.mount
        }
        var result: [StoreIdentity: String] = [:]
        for source in snapshot.sources {
            result[source.store] = samples[source.store.root].flatMap { mounts[$0.status.device] }
        }
        return result
    }

    /// The file systems of a snapshot's stores, and of what of them lies elsewhere, with each layer and tree in one class,
    /// in the order of their mounts.
    static func list(_ samples: [String: FileSystems.Sample], _ snapshot: UsageSnapshot) -> [FileSystem] {
        var byDevice: [UInt64: FileSystem] = [:]
        for path in snapshot.places {
            guard let sample = samples[path] else { continue }
            let status = sample.status
            if let known = byDevice[status.device], known.mount.utf8.count <= sample.mount.utf8.count {
                continue
            }
            byDevice[status.device] = FileSystem(
                mount: sample.mount, sizeBytes: status.sizeBytes, usedBytes: status.usedBytes,
                availableBytes: status.availableBytes, attributed: Attributed(),
                otherBytes: status.usedBytes,
                deletedOpen: snapshot.deletedOpen.completeness.isKnown
                    ? DeletedOpen(snapshot.deletedOpen.byDevice[status.device] ?? Accounting.DeletedOpen())
                    : nil)
        }
        for store in snapshot.stores {
            for (path, sums) in zip(store.places, store.placed) {
                guard let device = samples[path]?.status.device else { continue }
                byDevice[device]?.attributed.add(sums)
            }
        }
        for (store, overhead) in snapshot.overheads {
            var rest = overhead.charged.diskBytes
            for part in overhead.fact.beside {
                let bytes = overhead.measure?.beside[part.directory]?.diskBytes ?? 0
                guard let device = samples[store.place(of: part.directory)]?.status.device
                else { continue }
                byDevice[device]?.attributed.add(overhead: bytes)
                rest = rest.subtractingClamped(bytes)
            }
            guard let device = samples[store.place(of: overhead.fact.directory)]?.status.device
            else { continue }
            byDevice[device]?.attributed.add(overhead: rest)
        }
        return byDevice.values.map { system in
            var system = system
            system.attributed.deletedOpen = system.deletedOpen?.diskBytes
            system.otherBytes = system.usedBytes.subtractingClamped(system.attributed.sum)
            return system
        }.sorted { $0.mount < $1.mount }
    }
}

// What a file system says of itself may be any number.
extension FileSystem.Attributed {
    fileprivate mutating func add(overhead bytes: Int64) {
        overhead = overhead.addingClamped(bytes)
    }

    fileprivate mutating func add(_ sums: UsageTotals) {
        imageLayers = imageLayers.addingClamped(sums.imageLayers.measure.diskBytes)
        containerLayers = containerLayers.addingClamped(sums.containers.measure.diskBytes)
        containerLogs = containerLogs.addingClamped(sums.logs.measure.diskBytes)
        volumes = volumes.addingClamped(sums.volumes.measure.diskBytes)
        buildCache = buildCache.addingClamped(sums.buildCache.measure.diskBytes)
        content = content.addingClamped(sums.content.measure.diskBytes)
        add(overhead: sums.initLayers.measure.diskBytes)
        orphans = orphans.addingClamped(sums.orphans.measure.diskBytes)
        inFlight = inFlight.addingClamped(sums.inFlight.measure.diskBytes)
    }
}
