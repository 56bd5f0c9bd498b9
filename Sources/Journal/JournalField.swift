/// One field of a journal entry.
///
/// Its rules are those of `sd_journal_sendv(3)`: a name of `A-Z`, `0-9` and `_` that starts with a letter and
/// has at most 64 bytes; any bytes as a value.
struct JournalField: Hashable, Sendable {
    var name: String
    var value: String

    /// How many fields ``fields(of:)`` makes beside those of the metadata.
    static let reserved = 9

    /// All fields of a record.
    static func fields(of record: LogRecord) -> [JournalField] {
        var fields = [
            JournalField(name: "MESSAGE", value: record.message),
            JournalField(name: "PRIORITY", value: "\(record.priority)"),
            JournalField(name: "SYSLOG_IDENTIFIER", value: "usaged"),
            JournalField(name: "CODE_FILE", value: record.file),
            JournalField(name: "CODE_LINE", value: "\(record.line)"),
            JournalField(name: "CODE_FUNC", value: record.function),
            JournalField(name: "USAGED_LOGGER", value: record.label),
        ]
        if let id = record.messageID { fields.append(JournalField(name: "MESSAGE_ID", value: id)) }
        if record.dropped > 0 {
            fields.append(JournalField(name: "USAGED_FIELDS_DROPPED", value: "\(record.dropped)"))
        }
        return fields + record.fields.map { JournalField(name: name(of: $0.key), value: $0.value) }
    }

    /// The field for a metadata key: upper case with the prefix `USAGED_`, every character that no field
    /// name may have as `_`, cut to 64 bytes.
    static func name(of key: String) -> String {
        var name = ""
        for scalar in key.unicodeScalars.prefix(64) {
            switch scalar {
            case "A"..."Z", "0"..."9", "_": name.unicodeScalars.append(scalar)
            case "a"..."z": name.unicodeScalars.append(Unicode.Scalar(UInt8(scalar.value) - 0x20))
            default: name += "_"
            }
        }
        if !name.hasPrefix("USAGED_") { name = "USAGED_" + name }
        return String(name.prefix(64))
    }
}
