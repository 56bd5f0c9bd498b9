internal import Accounting
internal import Dispatch
internal import FoundationEssentials
internal import Glibc
internal import History
internal import Journal
internal import Logging
internal import Synchronization

/// What the daemon keeps over a restart, written on a queue of its own, for a disk may be slow or full.
///
/// A failure to write loses nothing that is in memory: it is told once, and tried again at the next change.
final class DaemonState: Sendable {
    private static let alertsKey = "alerts"
    private static let growthKey = "growth"
    /// Containers whose figures go into one value.
    private static let growthGroup = 64

    private let directory: String
    private let opened: Mutex<StateStore>
    /// What was saved of the alerts last.
    private let alerts = Mutex<[UInt8]?>(nil)
    private let logger: Logger
    private let queue = DispatchQueue(label: "usaged.state", qos: .utility)
    private let hasFailed = Mutex(false)
    private let growthSaving = Mutex(GrowthSaving())

    private struct GrowthSaving {
        var isQueued = false
        var notBefore: Int64 = 0
        var isClosed = false
    }

    /// A saving of the figures' past is followed by a pause so many times as long.
    private static let growthRestFactor: Int64 = 4

    /// Opens the state of a directory; where that fails, it is told, and what is kept is lost at the end.
    init(directory: String, logger: Logger) throws(StateError) {
        self.directory = directory
        self.logger = logger
        do {
            let (store, notice) = try StateStore.open(directory: directory)
            opened = Mutex(store)
            if let notice {
                logger.record(.stateFailure, .warning, "\(notice)", metadata: ["reason": "\(notice)"])
            }
        } catch {
            opened = Mutex(try StateStore.inMemory())
            logger.record(
                .stateFailure, .error,
                "\(error); until a restart marks, alert state and measured layers are kept in memory alone",
                metadata: ["reason": "\(error)"])
        }
    }

    /// The store; opened anew where its file was removed or replaced, for no restart would find what is written there.
    ///
    /// For the queue alone.
    private func current() throws(StateError) -> StateStore {
        let old = opened.withLock { $0 }
        guard !old.isInPlace else { return old }
        mkdir(directory, 0o750)
        let (new, notice) = try StateStore.open(directory: directory)
        opened.withLock { $0 = new }
        try? old.close()
        let reason =
            notice ?? "the state in \(directory) was removed or replaced, and is begun anew; marks are lost"
        logger.record(.stateFailure, .warning, "\(reason)", metadata: ["reason": "\(reason)"])
        if let alerts = alerts.withLock({ $0 }) { try new.setValue(alerts, for: Self.alertsKey) }
        return new
    }

    // MARK: Alerts and growth

    /// The alerts that an earlier run left.
    func savedAlerts() -> [SavedAlert] {
        decoded([SavedAlert].self, Self.alertsKey) ?? []
    }

    /// Keeps the alerts that `alerts` gives when their turn comes.
    func save(_ alerts: @escaping @Sendable () -> [SavedAlert]) {
        queue.async { [self] in
            attempt { () throws(StateError) in
                let bytes = encoded(alerts())
                self.alerts.withLock { $0 = bytes }
                try current().setValue(bytes, for: Self.alertsKey)
            }
        }
    }

    /// The figures that an earlier run left.
    func savedGrowth() -> [SavedGrowth] {
        var growth: [SavedGrowth] = []
        for index in 0... {
            guard let group = decoded([SavedGrowth].self, "\(Self.growthKey).\(index)") else { break }
            growth += group
        }
        return growth
    }

    func save(_ growth: [SavedGrowth]) {
        queue.async { [self] in write(growth) }
    }

    /// Keeps the figures that `growth` gives when their turn comes; asked again meanwhile, once.
    ///
    /// On a host with many containers it takes long, so that one whose alerts come and go has it done less often.
    func saveGrowth(_ growth: @escaping @Sendable () -> [SavedGrowth]) {
        let now = Moment.now().uptime
        let notBefore = growthSaving.withLock { saving -> Int64? in
            guard !saving.isQueued else { return nil }
            saving.isQueued = true
            return saving.notBefore
        }
        guard let notBefore else { return }
        let work = { @Sendable [self] in
            let isClosed = growthSaving.withLock { saving in
                saving.isQueued = false
                return saving.isClosed
            }
            guard !isClosed else { return }
            let start = Moment.now().uptime
            write(growth())
            let end = Moment.now().uptime
            growthSaving.withLock { $0.notBefore = end + (end - start) * Self.growthRestFactor }
        }
        if notBefore <= now {
            queue.async(execute: work)
        } else {
            queue.asyncAfter(deadline: .now() + .nanoseconds(Int(notBefore - now)), execute: work)
        }
    }

    private func write(_ growth: [SavedGrowth]) {
        attempt { () throws(StateError) in
            var index = 0
            var rest = growth[...]
            while !rest.isEmpty {
                let group = Array(rest.prefix(Self.growthGroup))
                try current().setValue(encoded(group), for: "\(Self.growthKey).\(index)")
                rest = rest.dropFirst(Self.growthGroup)
                index += 1
            }
            try current().setValue(nil, for: "\(Self.growthKey).\(index)")
        }
    }

    // MARK: Layers

    func layerMeasures(of store: StoreIdentity) -> [String: CachedMeasure] {
        queue.sync {
            var measures: [String: CachedMeasure] = [:]
            attempt { () throws(StateError) in measures = try current().layerMeasures(of: store) }
            return measures
        }
    }

    /// Stores measures and calls `body` when that was tried.
    func save(
        _ measures: [(id: String, CachedMeasure)], of store: StoreIdentity,
        _ body: @escaping @Sendable () -> Void
    ) {
        queue.async { [self] in
            attempt { () throws(StateError) in try current().save(measures, of: store) }
            body()
        }
    }

    func removeLayers(_ ids: [String], of store: StoreIdentity) {
        guard !ids.isEmpty else { return }
        queue.async { [self] in
            attempt { () throws(StateError) in try current().removeLayers(ids, of: store) }
        }
    }

    // MARK: Marks

    func mark(named name: String) async throws(StateError) -> Mark? {
        let result: Result<Mark?, StateError> = await withCheckedContinuation { continuation in
            queue.async { [self] in
                do throws(StateError) {
                    continuation.resume(returning: .success(try current().mark(named: name)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    func save(_ mark: Mark, named name: String) async throws(StateError) {
        let result: Result<Void, StateError> = await withCheckedContinuation { continuation in
            queue.async { [self] in
                do throws(StateError) {
                    try current().save(mark, named: name)
                    continuation.resume(returning: .success(()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        try result.get()
        logger.record(.markSet, .info, "mark \(name) was set", metadata: ["mark": "\(name)"])
    }

    /// Writes what waits, and ends.
    func close() {
        queue.sync {
            growthSaving.withLock { $0.isClosed = true }
            attempt { () throws(StateError) in try opened.withLock { $0 }.close() }
        }
    }

    // MARK: Failures

    private func attempt(_ body: () throws(StateError) -> Void) {
        do throws(StateError) {
            try body()
            let hadFailed = hasFailed.withLock { failed in
                defer { failed = false }
                return failed
            }
            if hadFailed { logger.notice("state can be written again") }
        } catch {
            let isFirst = hasFailed.withLock { failed in
                defer { failed = true }
                return !failed
            }
            guard isFirst else { return }
            logger.record(
                .stateFailure, .error, "\(error); it is tried again at each change",
                metadata: ["reason": "\(error)"])
        }
    }

    private func encoded(_ value: some Encodable) -> [UInt8] {
        // Only numbers and texts are encoded, which cannot fail.
        (try? JSONEncoder().encode(value)).map { [UInt8]($0) } ?? []
    }

    private func decoded<Value: Decodable>(_ type: Value.Type, _ key: String) -> Value? {
        queue.sync {
            var bytes: [UInt8]?
            attempt { () throws(StateError) in bytes = try current().value(for: key) }
            guard let bytes else { return nil }
            do {
                return try JSONDecoder().decode(type, from: Data(bytes))
            } catch {
                logger.record(
                    .stateFailure, .warning, "the saved \(key) cannot be read and start anew: \(error)",
                    metadata: ["reason": "\(error)"])
                return nil
            }
        }
    }
}
