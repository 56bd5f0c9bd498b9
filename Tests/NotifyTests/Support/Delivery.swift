import Kernel
import Logging
import Settings
import Synchronization
import UsageTestKit
import Wire

@testable import Notify

/// What was logged, each with its level and metadata.
final class LogKeeper: Sendable {
    struct Line: Sendable {
        var level: Logger.Level
        var message: String
        var metadata: [String: String]
    }

    private let kept = Mutex<[Line]>([])

    var lines: [Line] { kept.withLock { $0 } }

    func count(_ kind: String) -> Int { lines.count { $0.metadata["message_id"] == kind } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(keeper: self) }
    }

    private struct Handler: LogHandler {
        let keeper: LogKeeper
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        init(keeper: LogKeeper) { self.keeper = keeper }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            keeper.kept.withLock {
                $0.append(
                    Line(
                        level: event.level, message: event.message.description,
                        metadata: (event.metadata ?? [:]).mapValues { "\($0)" }))
            }
        }
    }
}

/// A courier with its queue, as `notify` runs one for each receiver.
final class Delivery: Sendable {
    let store: ReceiverStore
    let courier: Courier
    let log = LogKeeper()

    init(_ receiver: Receiver, _ scratch: ScratchDirectory) throws {
        store = try ReceiverStore(path: scratch("\(receiver.name).queue"))
        courier = try Courier(
            name: receiver.name, store: store, interval: receiver.repeatInterval, logger: log.logger,
            now: NotifyService.seconds, changed: {})
        courier.start(NotifyService.maker(for: receiver, instance: "host-1", logger: log.logger))
    }

    func tell(_ alerts: [Alert]) {
        if store.take(alerts, isWanted: { _ in true }) { courier.wake() }
    }

    func stop() async throws {
        courier.stop()
        try await wait(until: "the courier to end") { courier.hasEnded }
    }
}

extension Receiver {
    static func webhook(_ hook: WebReceiver, timeout: Duration = .seconds(10)) -> Receiver {
        Receiver(name: "hook", kind: .webhook(Endpoint(address: .url(hook.url))), timeout: timeout)
    }
}
