public import Logging

extension Logger {
    /// Logs a record of a kind, with the kind's `MESSAGE_ID`.
    ///
    /// Each metadata key becomes a journal field: `container_id` is `USAGED_CONTAINER_ID`. Numbers are whole,
    /// in base units.
    public func record(
        _ kind: RecordKind, _ level: Logger.Level, _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata = [:], file: String = #fileID,
        function: String = #function, line: UInt = #line
    ) {
        log(
            level: level, message(),
            metadata: metadata().merging([LogRecord.messageIDKey: "\(kind.messageID)"]) { _, id in id },
            file: file, function: function, line: line)
    }
}
