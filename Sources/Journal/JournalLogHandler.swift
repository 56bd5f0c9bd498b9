public import Logging

/// Writes log events to journald with every metadata value as a field.
///
/// `MESSAGE` has control characters escaped; field values are passed as they are. At most 64 fields of 64 KiB
/// are sent, and 1 MiB in all; `USAGED_FIELDS_DROPPED` counts the rest.
public struct JournalLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let output: LogOutput

    public init(label: String, level: Logger.Level = .info, output: LogOutput) {
        self.label = label
        self.logLevel = level
        self.output = output
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        output.submit(
            LogRecord(event, label: label, metadata: metadata.resolved(with: metadataProvider, event)))
    }
}

extension Logger.Metadata {
    /// The handler's, the provider's and the event's metadata; the later wins.
    func resolved(with provider: Logger.MetadataProvider?, _ event: LogEvent) -> Logger.Metadata {
        var merged = self
        if let provided = provider?.get() { merged.merge(provided) { $1 } }
        if let own = event.metadata { merged.merge(own) { $1 } }
        return merged
    }
}
