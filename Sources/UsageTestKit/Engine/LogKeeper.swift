public import Logging
internal import Synchronization

/// Keeps what is logged.
public final class LogKeeper: Sendable {
    public struct Line: Sendable {
        public let level: Logger.Level
        public let message: String
        public let metadata: [String: String]
    }

    private let kept = Mutex<[Line]>([])

    public init() {}

    public var lines: [Line] { kept.withLock { $0 } }

    /// How many records of a kind there are.
    public func count(_ messageID: String) -> Int { lines.count { $0.metadata["message_id"] == messageID } }

    /// Logs into this, at every level.
    public var logger: Logger {
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
