internal import Glibc
internal import Wire

/// A moment of the wall clock, seconds since the epoch.
struct Timestamp: Hashable, Comparable {
    var seconds: Int64

    /// Takes RFC 3339, with any fraction and offset; nil for anything else.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        guard bytes.count >= 20, let year = number(0..<4), let month = number(5..<7),
            let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var rest = bytes[19...]
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst().drop { (0x30...0x39).contains($0) }
        }
        var offset: Int64 = 0
        if let sign = rest.first, sign != UInt8(ascii: "Z") {
            let start = rest.startIndex
            guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
                let hours = number(start + 1..<start + 3), let minutes = number(start + 4..<start + 6)
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        }
        seconds =
            Self.days(year: year, month: month, day: day) * 86400 + hour * 3600 + minute * 60 + second
            - offset
    }

    init(seconds: Int64) {
        self.seconds = seconds
    }

    static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.seconds < right.seconds
    }

    /// Days since the epoch of a date of the proleptic Gregorian calendar.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146097 + dayOfEra - 719468
    }

    private func broken(_ zone: TimeZoneChoice) -> tm {
        var time = time_t(seconds)
        var fields = tm()
        switch zone {
        case .utc: gmtime_r(&time, &fields)
        case .local: localtime_r(&time, &fields)
        }
        return fields
    }

    /// The time of day, `14:02:11`.
    func clock(_ zone: TimeZoneChoice) -> String {
        let fields = broken(zone)
        return [fields.tm_hour, fields.tm_min, fields.tm_sec].map(Self.twoDigits).joined(separator: ":")
    }

    /// Date and time of day, `2026-11-24 14:02:11`.
    func dateAndClock(_ zone: TimeZoneChoice) -> String {
        let fields = broken(zone)
        let date = [fields.tm_mon + 1, fields.tm_mday].map(Self.twoDigits).joined(separator: "-")
        return "\(Int(fields.tm_year) + 1900)-\(date) \(clock(zone))"
    }

    private static func twoDigits(_ value: Int32) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }

    /// How long before another moment, in the largest unit that fits: `2m`, `3h`, `5d`, `11y`.
    func age(before now: Timestamp) -> String {
        let age = now.seconds.minus(seconds)
        let year: Int64 = 365 * 86400
        return age < 2 * year ? Self.duration(age) : "\(age / year)y"
    }

    static func duration(_ seconds: Int64) -> String {
        switch max(0, seconds) {
        case let value where value < 120: "\(value)s"
        case let value where value < 7200: "\(value / 60)m"
        case let value where value < 172_800: "\(value / 3600)h"
        case let value: "\(value / 86400)d"
        }
    }
}

/// Which zone times are printed in.
public enum TimeZoneChoice: Hashable, Sendable {
    case utc, local
}
