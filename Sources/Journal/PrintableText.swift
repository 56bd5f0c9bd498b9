/// Makes text from containers safe to print on one line.
enum PrintableText {
    /// The text with every control, format or unassigned character as `\xNN` or `\u{N}`, so that no name can
    /// start a new line, move the cursor or turn the direction of the text.
    static func escape(_ text: String, limit: Int) -> String {
        let text = cut(text, limit: limit)
        guard text.unicodeScalars.contains(where: { !isPrintable($0) }) else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            if isPrintable(scalar) {
                escaped.unicodeScalars.append(scalar)
            } else if scalar == "\n" {
                escaped += "\\n"
            } else if scalar == "\t" {
                escaped += "\\t"
            } else {
                let hex = String(scalar.value, radix: 16)
                escaped += scalar.isASCII ? "\\x" + (hex.count == 1 ? "0" : "") + hex : "\\u{\(hex)}"
            }
        }
        return escaped
    }

    /// The text, or so many whole characters of it as fit, and `...`.
    static func cut(_ text: String, limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        let mark = limit >= 3 ? "..." : ""
        var index = text.utf8.index(text.utf8.startIndex, offsetBy: limit - mark.utf8.count)
        while index > text.startIndex, index.samePosition(in: text.unicodeScalars) == nil {
            index = text.utf8.index(before: index)
        }
        return text[..<index] + mark
    }

    /// The text as a value of `key=value`: quoted where it is empty or holds a space, a quote or `=`.
    static func quote(_ text: String, limit: Int) -> String {
        let plain = escape(text, limit: limit)
        guard plain.isEmpty || plain.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else {
            return plain
        }
        return "\"" + plain.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
            + "\""
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            return false
        default: return true
        }
    }
}
