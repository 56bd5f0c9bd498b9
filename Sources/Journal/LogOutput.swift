internal import Dispatch
internal import Glibc
public import Logging
internal import Synchronization

/// The one way out for all log handlers: bounded, and never waited for.
///
/// Records are written in order on a thread of their own, for journald or a pipe may be slow. When too many
/// wait, further ones are dropped and counted, and a record says so; the last quarter of the room is for
/// alerts. A flood of one kind is cut by ``RecordLimiter``, and a record tells how many were held back.
public final class LogOutput: Sendable {
    private struct State {
        var limiter: RecordLimiter
        var waiting = 0
        var waitingBytes = 0
        var lost = 0
        var summaryIsPlanned = false
    }

    static let mostWaiting = 2048
    static let mostWaitingBytes = 4 << 20

    public let backend: JournalBackend
    private let write: @Sendable (LogRecord) -> Void
    private let now: @Sendable () -> Int64
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "usaged.log")

    public convenience init(_ backend: JournalBackend, limiter: RecordLimiter = RecordLimiter()) {
        self.init(backend, limiter: limiter, now: LogOutput.uptime) { LogOutput.write($0, to: backend) }
    }

    init(
        _ backend: JournalBackend, limiter: RecordLimiter, now: @escaping @Sendable () -> Int64,
        write: @escaping @Sendable (LogRecord) -> Void
    ) {
        self.backend = backend
        self.write = write
        self.now = now
        state = Mutex(State(limiter: limiter))
    }

    /// A handler of the backend's type, for `LoggingSystem.bootstrap`.
    public func handler(label: String, level: Logger.Level = .info) -> any LogHandler {
        switch backend {
        case .journal: JournalLogHandler(label: label, level: level, output: self)
        case .stderr: StderrLogHandler(label: label, level: level, output: self)
        }
    }

    /// Waits until everything logged so far is written, but not longer than `seconds`.
    ///
    /// It blocks; call it at the very end of the process.
    /// - Returns: Whether all was written.
    @discardableResult
    public func flush(seconds: Double) -> Bool {
        let done = DispatchSemaphore(value: 0)
        queue.async {
            self.writeSummaries(all: true)
            done.signal()
        }
        return done.wait(timeout: .now() + max(0, seconds)) == .success
    }

    /// Waits until everything logged so far is written, but not longer than `seconds`; it blocks.
    public func settle(seconds: Double) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + max(0, seconds))
    }

    func submit(_ record: LogRecord) {
        let kind = record.kind
        let weight = record.weight
        let (accepted, delay) = state.withLock { state -> (Bool, Int64?) in
            let uptime = now()
            guard state.limiter.admits(kind, at: uptime) else {
                guard !state.summaryIsPlanned, let due = state.limiter.nextDue else { return (false, nil) }
                state.summaryIsPlanned = true
                return (false, max(0, due - uptime))
            }
            let part = kind?.isAlert == true ? 4 : 3
            guard state.waiting < Self.mostWaiting / 4 * part,
                state.waitingBytes + weight <= Self.mostWaitingBytes / 4 * part
            else {
                state.lost += 1
                return (false, nil)
            }
            state.waiting += 1
            state.waitingBytes += weight
            return (true, nil)
        }
        if let delay { planSummary(after: delay) }
        guard accepted else { return }
        queue.async {
            self.write(record)
            let lost = self.state.withLock { state in
                state.waiting -= 1
                state.waitingBytes -= weight
                defer { state.lost = 0 }
                return state.lost
            }
            self.tellLost(lost)
        }
    }

    private func planSummary(after nanoseconds: Int64) {
        queue.asyncAfter(deadline: .now() + .nanoseconds(Int(nanoseconds))) {
            self.state.withLock { $0.summaryIsPlanned = false }
            self.writeSummaries(all: false)
            let next = self.state.withLock { state -> Int64? in
                guard !state.summaryIsPlanned, let due = state.limiter.nextDue else { return nil }
                state.summaryIsPlanned = true
                return max(0, due - self.now())
            }
            if let next { self.planSummary(after: next) }
        }
    }

    private func writeSummaries(all: Bool) {
        let seconds = state.withLock { $0.limiter.interval } / 1_000_000_000
        for (kind, count) in state.withLock({ $0.limiter.takeSuppressed(at: all ? .max : now()) }) {
            let name = kind?.rawValue ?? "other"
            write(
                LogRecord(
                    .recordsSuppressed,
                    "\(count) more records of kind \(name) were not written within \(seconds) s",
                    fields: [.init(key: "kind", value: name), .init(key: "count", value: "\(count)")]))
        }
    }

    private func tellLost(_ count: Int) {
        guard count > 0 else { return }
        write(
            LogRecord(
                .recordsLost, "\(count) records were lost because the log was written too slowly",
                fields: [.init(key: "count", value: "\(count)")]))
    }

    private static func write(_ record: LogRecord, to backend: JournalBackend) {
        switch backend {
        case .journal:
            guard !JournalSocket.send(JournalField.fields(of: record)) else { return }
            // Standard error is the journal's stream too, and takes less.
            writeToStderr(TextLine.prefixed(record))
        case .stderr(prefixed: true): writeToStderr(TextLine.prefixed(record))
        case .stderr(prefixed: false): writeToStderr(TextLine.plain(record, time: time(nil)))
        }
    }

    private static func writeToStderr(_ line: String) {
        var rest = Array(line.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == 0 || errno != EINTR {
                return
            }
        }
    }

    private static let uptime: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
