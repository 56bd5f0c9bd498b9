internal import Glibc
internal import Logging

/// A record as one line for standard error.
enum TextLine {
    /// `<4>usaged: text key=value` with the priority of `sd-daemon(3)`, for whatever collects the stream.
    static func prefixed(_ record: LogRecord) -> String {
        "<\(record.priority)>usaged: \(body(record))\n"
    }

    /// `2015-01-02T03:04:05Z warning: text key=value`, for a person.
    static func plain(_ record: LogRecord, time: Int) -> String {
        "\(timeStamp(time)) \(record.level): \(body(record))\n"
    }

    private static func body(_ record: LogRecord) -> String {
        // A line is for reading: the whole of a long value is in the journal alone.
        record.fields.reduce(into: record.message) { line, field in
            let key = PrintableText.escape(field.key, limit: 64).filter { $0 != " " && $0 != "=" }
            line += " \(key)=\(PrintableText.quote(field.value, limit: 1024))"
        }
    }

    private static func timeStamp(_ time: Int) -> String {
        var time = time
        var parts = tm()
        gmtime_r(&time, &parts)
        func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))T"
            + "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))Z"
    }
}
