internal import Accounting

/// Reads what stands in single values: byte sizes, durations, names, paths.
public enum SettingsText {
    /// Why a text is not such a value, and what is allowed.
    public struct Rejection: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    private static let decimalUnits: [(String, Int64)] = [
        ("b", 1), ("kb", 1_000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
        ("pb", 1_000_000_000_000_000), ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30),
        ("tib", 1 << 40), ("pib", 1 << 50),
    ]

    private static let durationUnits: [(String, Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// Reads `10GB`, `512 MiB`, `1.5GB`, or a plain number of bytes; the case of the unit does not matter.
    public static func bytes(_ text: String) throws(Rejection) -> Int64 {
        let allowed = "allowed is a number with B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB or PiB"
        var rest = Substring(text)
        guard let number = Decimal(&rest) else {
            throw Rejection("\(quote(text)) is not a size; \(allowed), as 10GB, 1.5GB or 512 MiB")
        }
        let unit = rest.drop { $0 == " " }.lowercased()
        let factor: Int64
        if unit.isEmpty {
            guard number.decimals == 0 else {
                throw Rejection("\(quote(text)) is not a size; a number with decimals needs a unit, as 1.5GB")
            }
            factor = 1
        } else if let known = decimalUnits.first(where: { $0.0 == unit }) {
            factor = known.1
        } else if decimalUnits.contains(where: { $0.0 == unit + "b" }) {
            let letter = unit.uppercased()
            throw Rejection(
                "\(quote(text)) does not say which unit: write \(letter == "K" ? "k" : letter)B (powers of 1000) or "
                    + "\(letter)iB (powers of 1024)")
        } else {
            throw Rejection("\(quote(text)) has no unit known here; \(allowed)")
        }
        guard let value = number.times(factor) else {
            throw Rejection("\(quote(text)) is more than a signed 64-bit number holds")
        }
        return value
    }

    /// Reads `500ms`, `30s`, `5m`, `1h`, `2d`, or several of them, as `1h30m`, to milliseconds.
    public static func milliseconds(_ text: String) throws(Rejection) -> Int64 {
        let allowed = "allowed is a number with ms, s, m, h or d, as 30s, 5m, 1h30m or 2d"
        if text == "0" { return 0 }
        var rest = Substring(text)
        var total: Int64 = 0
        repeat {
            guard let number = Decimal(&rest) else {
                throw Rejection("\(quote(text)) is not a duration; \(allowed)")
            }
            rest = rest.drop { $0 == " " }
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count).drop { $0 == " " }
            guard let factor = durationUnits.first(where: { $0.0 == unit })?.1 else {
                let what = unit.isEmpty ? "needs a unit" : "has no unit known here"
                throw Rejection("\(quote(text)) \(what); \(allowed)")
            }
            guard let value = number.times(factor),
                case let (sum, overflow) = total.addingReportingOverflow(value),
                !overflow
            else {
                throw Rejection("\(quote(text)) is too long")
            }
            total = sum
        } while !rest.isEmpty
        return total
    }

    /// A duration as an operator would write it.
    public static func duration(milliseconds: Int64) -> String {
        if milliseconds == 0 { return "0s" }
        let unit = durationUnits.last { milliseconds % $0.1 == 0 && milliseconds >= $0.1 } ?? ("ms", 1)
        return "\(milliseconds / unit.1)\(unit.0)"
    }

    /// Takes an absolute path without `.` and `..`, that fits a system call.
    public static func absolutePath(_ text: String) throws(Rejection) -> String {
        // By bytes, as the kernel does: a combining mark would make another character of the slash before it.
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw Rejection("\(quote(text)) is not an absolute path; it must begin with /")
        }
        guard text.utf8.count < 4096 else { throw Rejection("a path may have 4095 bytes at most") }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw Rejection("\(quote(text)) holds a control character")
        }
        let components = text.utf8.split(separator: UInt8(ascii: "/")).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard !components.contains(".."), !components.contains(".") else {
            throw Rejection("\(quote(text)) must be written without . and ..")
        }
        return text
    }

    /// Takes a pattern in which `*` and `?` stand for other characters.
    static func pattern(_ text: String) throws(Rejection) -> Glob {
        guard (1...256).contains(text.unicodeScalars.count) else {
            throw Rejection("a pattern has 1 to 256 characters; * stands for any")
        }
        return Glob(text)
    }

    /// Takes a name that an operator gives to something, for example to a rule.
    static func name(_ text: String, of noun: String) throws(Rejection) -> String {
        let isAllowed = text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isAllowed, (1...64).contains(text.utf8.count) else {
            throw Rejection(
                "\(quote(text)) is no name for a \(noun); allowed are 1 to 64 letters, digits, - _ .")
        }
        return text
    }

    /// Whether the text is `true` or `false`, in one of the words that YAML has for them; `nil` for neither.
    static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: nil
        }
    }

    /// The text in quotation marks, fit for a log line.
    static func quote(_ text: some StringProtocol) -> String {
        "\"\(printable(text))\""
    }

    /// The text cut where it is long, with control and format characters escaped.
    static func printable(_ text: some StringProtocol) -> String {
        var result = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < 256 else { return result + "..." }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// A number with decimals, without the rounding of binary fractions.
private struct Decimal {
    private var digits: Int64 = 0
    private(set) var decimals = 0
    private var isTooLarge = false

    /// Takes a number off the front of `text`; `nil` when none stands there.
    init?(_ text: inout Substring) {
        var rest = text[...].utf8
        var count = 0
        var isFraction = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "."), !isFraction, count > 0 {
                isFraction = true
            } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                count += 1
                if isFraction, decimals == 9 {
                    // Less than a byte of a gigabyte.
                } else {
                    append(Int64(byte - UInt8(ascii: "0")))
                    decimals += isFraction ? 1 : 0
                }
            } else {
                break
            }
            rest.removeFirst()
        }
        guard count > 0, !isFraction || decimals > 0 else { return nil }
        text = Substring(rest)
    }

    private mutating func append(_ digit: Int64) {
        let (shifted, overflow) = digits.multipliedReportingOverflow(by: 10)
        let (sum, carry) = shifted.addingReportingOverflow(digit)
        isTooLarge = isTooLarge || overflow || carry
        digits = isTooLarge ? 0 : sum
    }

    /// The product, rounded down; `nil` when it is out of range.
    func times(_ factor: Int64) -> Int64? {
        var divisor: Int64 = 1
        for _ in 0..<decimals { divisor *= 10 }
        // The whole part first, so that only what does not fit overflows.
        let (whole, overflow) = (digits / divisor).multipliedReportingOverflow(by: factor)
        let fraction = divisor.dividingFullWidth((digits % divisor).multipliedFullWidth(by: factor)).quotient
        let (sum, carry) = whole.addingReportingOverflow(fraction)
        return isTooLarge || overflow || carry ? nil : sum
    }
}
