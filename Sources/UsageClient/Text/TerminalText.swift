/// Text that a container, an image or a client chose, made safe to print on a terminal.
///
/// Control characters could move the cursor or recolour the screen, bidirectional overrides could make a line
/// read as another one. What does not show as itself becomes `\xNN` for each of its UTF-8 bytes.
public enum TerminalText {
    /// Combining marks that may follow one another; more of them smear over the lines above.
    private static let markLimit = 4

    /// A name as the server has it: escaped, and a backslash doubled, so that the text is unambiguous.
    public static func name(_ text: String) -> String {
        escape(text, doublingBackslash: true)
    }

    /// A path, reason or message that the server has escaped already: what is left to escape, without doubling a
    /// backslash again.
    public static func prose(_ text: String) -> String {
        escape(text, doublingBackslash: false)
    }

    /// An instruction on one line: every run of white space becomes one space.
    public static func oneLine(_ text: String) -> String {
        var words: [Substring] = []
        for word in text.split(whereSeparator: \.isWhitespace) { words.append(word) }
        return prose(words.joined(separator: " "))
    }

    private static func escape(_ text: String, doublingBackslash: Bool) -> String {
        let plain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x5C }
        guard !plain else { return text }
        var result = ""
        var marks = 0
        for scalar in text.unicodeScalars {
            marks = scalar.columns == 0 ? marks + 1 : 0
            if scalar == "\\" {
                result += doublingBackslash ? "\\\\" : "\\"
            } else if scalar.showsAsItself, marks <= markLimit {
                result.unicodeScalars.append(scalar)
            } else {
                for byte in String(scalar).utf8 {
                    let hex = String(byte, radix: 16)
                    result += "\\x" + (hex.utf8.count == 1 ? "0" : "") + hex
                }
            }
        }
        return result
    }

    /// How many columns escaped text takes on a terminal.
    public static func columns(_ text: String) -> Int {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text.utf8.count }
        return text.unicodeScalars.reduce(0) { $0 + $1.columns }
    }

    /// Escaped text cut in the middle with `…` to at most so many columns.
    ///
    /// The middle goes, because names tell themselves apart at both ends: a registry at the front, a tag behind.
    public static func cutMiddle(_ text: String, to limit: Int) -> String {
        guard columns(text) > limit else { return text }
        guard limit > 1 else { return limit == 1 ? "…" : "" }
        let head = limit / 2
        return prefix(text, columns: head) + "…" + suffix(text, columns: limit - 1 - head)
    }

    /// Escaped text cut at its end with `…` to at most so many columns.
    public static func cutEnd(_ text: String, to limit: Int) -> String {
        guard columns(text) > limit else { return text }
        guard limit > 0 else { return "" }
        return prefix(text, columns: limit - 1) + "…"
    }

    private static func prefix(_ text: String, columns limit: Int) -> String {
        var result = ""
        var used = 0
        for scalar in text.unicodeScalars {
            used += scalar.columns
            guard used <= limit else { break }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    private static func suffix(_ text: String, columns limit: Int) -> String {
        var scalars: [Unicode.Scalar] = []
        var used = 0
        for scalar in text.unicodeScalars.reversed() {
            used += scalar.columns
            guard used <= limit else { break }
            scalars.append(scalar)
        }
        while let last = scalars.last, last.columns == 0 { scalars.removeLast() }
        var result = ""
        result.unicodeScalars.append(contentsOf: scalars.reversed())
        return result
    }
}

extension Unicode.Scalar {
    /// Whether the scalar shows as itself: no control, format (bidirectional override), surrogate or unassigned
    /// character, which could rewrite what a terminal shows.
    fileprivate var showsAsItself: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            false
        default: true
        }
    }

    /// Columns on a terminal: none for a combining mark, two for an East Asian wide character, else one.
    fileprivate var columns: Int {
        guard value >= 0x300 else { return 1 }
        switch value {
        case 0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x23E9...0x23EC, 0x2E80...0x303E,
            0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: break
        }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return 1
        }
    }
}
