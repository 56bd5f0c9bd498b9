internal import Logging

/// One log event with everything about it resolved to text, bounded in size.
struct LogRecord: Sendable {
    struct Field: Hashable, Sendable {
        var key: String
        var value: String
    }

    /// The metadata key whose value is the journal's `MESSAGE_ID`.
    static let messageIDKey = "message_id"
    static let largestValue = 64 << 10
    static let mostFields = 64
    /// Of all values together; what is left of a field that crosses it is cut.
    static let largestRecord = 1 << 20

    var level: Logger.Level
    /// One line without control characters.
    var message: String
    var messageID: String?
    var label: String
    var file: String
    var line: UInt
    var function: String
    /// Metadata, sorted by key.
    var fields: [Field]
    /// How many fields did not fit.
    var dropped = 0

    init(_ event: LogEvent, label: String, metadata: Logger.Metadata) {
        level = event.level
        message = PrintableText.escape(event.message.description, limit: Self.largestValue)
        self.label = label
        file = event.file
        line = event.line
        function = event.function
        fields = []
        var values = metadata
        if let error = event.error { values["error"] = "\(error)" }
        // The journal's own fields come on top of these.
        let most = Self.mostFields - JournalField.reserved
        var room = Self.largestRecord
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            let text = value.description
            if key == Self.messageIDKey, Self.isMessageID(text) {
                messageID = text
                continue
            }
            guard fields.count < most, room >= 64 else {
                dropped += 1
                continue
            }
            let cut = PrintableText.cut(text, limit: min(Self.largestValue, room))
            room -= cut.utf8.count
            fields.append(Field(key: key, value: cut))
        }
    }

    /// A record that this module writes about itself.
    init(_ kind: RecordKind, _ message: String, fields: [Field]) {
        level = .warning
        self.message = message
        messageID = kind.messageID
        label = "journal"
        file = "Journal/LogOutput.swift"
        line = 0
        function = ""
        self.fields = fields
    }

    var kind: RecordKind? {
        messageID.flatMap(RecordKind.init(messageID:))
    }

    /// About how much memory it takes while it waits.
    var weight: Int {
        fields.reduce(512 + message.utf8.count) { $0 + $1.value.utf8.count + 64 }
    }

    /// The syslog priority of the level.
    var priority: Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func isMessageID(_ text: String) -> Bool {
        text.utf8.count == 32
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
