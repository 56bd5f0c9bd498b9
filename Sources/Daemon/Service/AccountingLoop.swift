internal import Accounting
internal import Dispatch
internal import Journal
internal import Kernel
internal import Logging
internal import Synchronization
internal import SystemPackage
internal import Tracking
internal import Wire

/// The thread that tells what changed: at once after a pause, and in steps while much changes.
///
/// It also feeds the service manager's watchdog, so that a daemon whose accounting is stuck is ended.
final class AccountingLoop: Sendable {
    struct Parts: Sendable {
        var books: UsageBooks
        var tracking: TrackingService
        var stores: StoreFollowers
        var cache: MeasureCache
        var state: DaemonState
        var marks: MarkBook
        var fileSystems: FileSystems
        var manager: ServiceManager
        var status: ServiceStatus
        var configuration: ConfigurationNote
        var logger: Logger
    }

    private static let second: Int64 = 1_000_000_000
    /// Between two steps while changes come, at least.
    private static let rest: Int64 = 20_000_000
    /// A step takes as long as what changed, one with other facts as long as their store is large; the pause after it is so
    /// many times as long.
    private static let restFactor: Int64 = 4
    /// Between two savings of the figures' past.
    private static let savingInterval = 300 * second
    /// The same where it is cheap, and figures changed.
    private static let shortSavingInterval = 60 * second
    private static let shortSavingLimit = 256

    private let parts: Parts
    private let wakeUp: WakeUp
    private let isStopped = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)

    init(_ parts: Parts, wakeUp: WakeUp) {
        self.parts = parts
        self.wakeUp = wakeUp
    }

    func start() {
        NamedThread.start("accounts") { [self] in
            run()
            ended.signal()
        }
    }

    /// Ends the thread, and keeps what a restart needs; it blocks for as long as the disk takes.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        wakeUp.signal()
        ended.wait()
        let view = parts.books.advance()
        parts.state.save { view.alerts.saved() }
        parts.state.save(view.growth.saved(at: view.moment))
        parts.cache.save()
    }

    private func run() {
        let watchdog = parts.manager.watchdogInterval.map { interval in
            Int64(interval.components.seconds) * Self.second / 2
        }
        var lastStep: Int64 = 0
        var restEnds: Int64 = 0
        var nextSecond: Int64 = 0
        var lastSaving = Moment.now().uptime
        var savedGrowth: UInt64 = 0
        var nextKeepAlive: Int64 = 0
        var overflows: Int64 = 0
        while !isStopped.load(ordering: .relaxed) {
            var due = nextSecond
            if let deadline = parts.books.nextDeadline { due = min(due, deadline) }
            // News ends the wait, but not the rest after a step.
            wait(until: due, for: [wakeUp.descriptor])
            wait(until: restEnds, for: [])
            wakeUp.clear()
            let view = parts.books.advance()
            lastStep = view.moment.uptime
            let ended = Moment.now().uptime
            restEnds = max(
                lastStep + Self.rest, ended + min((ended - lastStep) * Self.restFactor, Self.second))
            if let watchdog, lastStep >= nextKeepAlive {
                parts.manager.keepAlive()
                nextKeepAlive = lastStep + watchdog
            }
            guard lastStep >= nextSecond else { continue }
            nextSecond = lastStep + Self.second
            parts.cache.save()
            tellOverflows(&overflows)
            // Of layers that are not measured yet, a later question would be told that they grew.
            if parts.stores.areAllRead, view.snapshot.isMeasured, parts.marks.isDue(at: view.moment) {
                mark(view)
            }
            parts.status.show(
                StatusLine.text(
                    view.snapshot, isRead: parts.stores.areAllRead, problem: parts.configuration.problem))
            let isSmall = view.growth.count <= Self.shortSavingLimit
            let interval = isSmall ? Self.shortSavingInterval : Self.savingInterval
            if lastStep - lastSaving >= interval, view.growth.version != savedGrowth {
                lastSaving = lastStep
                savedGrowth = view.growth.version
                parts.state.saveGrowth { [books = parts.books] in books.savedGrowth() }
            }
        }
    }

    private func mark(_ view: UsageBooks.View) {
        let snapshot = view.snapshot
        parts.fileSystems.refresh(of: snapshot.places) { [marks = parts.marks] samples in
            marks.note(
                snapshot, at: view.moment, isExact: snapshot.isExact,
                usedBytes: FileSystem.used(samples, snapshot))
        }
    }

    private func wait(until due: Int64, for descriptors: [FileDescriptor]) {
        let milliseconds = (due - Moment.now().uptime + 999_999) / 1_000_000
        guard milliseconds > 0 else { return }
        _ = Poll.wait(for: descriptors, timeoutMilliseconds: Int32(clamping: milliseconds))
    }

    private func tellOverflows(_ known: inout Int64) {
        let count = parts.tracking.counters.overflows
        guard count > known else { return }
        parts.logger.record(
            .queueOverflow, .warning,
            """
            the kernel's event queue ran over; what it covered is looked at again. If this comes often, raise the \
            sysctl fs.inotify.max_queued_events
            """)
        known = count
    }
}
