/// Parses the TOML that engines keep their configuration in.
///
/// It takes all of TOML 1.0, but does not look into numbers with a fraction, dates and times. A text that is no TOML
/// is refused as a whole, for a configuration that is taken in part is another one. Errors quote nothing of the text.
struct TOMLParser {
    /// Arrays and inline tables within each other, and keys of one dotted key.
    static let maximumDepth = 64

    private let bytes: [UInt8]
    private var position = 0
    private var root = Table()

    /// A table while it is made.
    private final class Table {
        var members: [String: Member] = [:]
        /// Whether a header of its own or an inline table made it, so that no other may.
        var isDefined = false
        /// Whether nothing may be added to it.
        var isClosed = false

        var value: TOMLValue { .table(members.mapValues(\.value)) }
    }

    private enum Member {
        case value(TOMLValue)
        case table(Table)
        case tables([Table])

        var value: TOMLValue {
            switch self {
            case .value(let value): value
            case .table(let table): table.value
            case .tables(let tables): .array(tables.map(\.value))
            }
        }
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The document as one table.
    static func parse(_ bytes: [UInt8]) throws(TOMLError) -> TOMLValue {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw TOMLError(line: 1, reason: "the file is not UTF-8")
        }
        var parser = TOMLParser(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
        return try parser.document()
    }

    private mutating func document() throws(TOMLError) -> TOMLValue {
        var table = root
        skipBlank()
        while let byte = peek {
            if byte == UInt8(ascii: "[") {
                table = try header()
            } else {
                try pair(into: table)
            }
            skipSpace()
            skipComment()
            guard position >= bytes.count || takeNewline() else { throw error("something follows a value") }
            skipBlank()
        }
        return root.value
    }

    // MARK: Tables

    private mutating func header() throws(TOMLError) -> Table {
        position += 1
        let isArray = take("[")
        let path = try key()
        guard take("]"), !isArray || take("]") else { throw error("a table's header has no end") }
        guard let last = path.last else { throw error("a table has no name") }
        let above = try descend(root, path.dropLast())
        if isArray {
            let new = Table()
            switch above.members[last] {
            case nil: above.members[last] = .tables([new])
            case .tables(let tables): above.members[last] = .tables(tables + [new])
            default: throw error("a name stands for a table and for something else")
            }
            return new
        }
        switch above.members[last] {
        case nil:
            let new = Table()
            new.isDefined = true
            above.members[last] = .table(new)
            return new
        case .table(let table) where !table.isDefined && !table.isClosed:
            table.isDefined = true
            return table
        default: throw error("a table stands there twice")
        }
    }

    private func descend(_ start: Table, _ path: ArraySlice<String>) throws(TOMLError) -> Table {
        var table = start
        for name in path {
            switch table.members[name] {
            case nil:
                let new = Table()
                table.members[name] = .table(new)
                table = new
            case .table(let next) where !next.isClosed: table = next
            case .tables(let tables):
                guard let next = tables.last else { throw error("an array of tables is empty") }
                table = next
            default: throw error("a name stands for a table and for something else")
            }
        }
        return table
    }

    private mutating func pair(into table: Table, depth: Int = 0) throws(TOMLError) {
        let path = try key()
        guard let last = path.last, take("=") else { throw error("there is no '=' after a key") }
        skipSpace()
        let value = try value(depth)
        let owner = try descend(table, path.dropLast())
        guard owner.members[last] == nil else { throw error("a key stands there twice") }
        owner.members[last] = .value(value)
    }

    /// Names with dots between them, and white space around.
    private mutating func key() throws(TOMLError) -> [String] {
        var names: [String] = []
        repeat {
            skipSpace()
            guard names.count < Self.maximumDepth else { throw error("a key has too many parts") }
            switch peek {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): names.append(try string(allowingLines: false))
            default:
                let start = position
                while let byte = peek, Self.isBare(byte) { position += 1 }
                guard position > start else { throw error("there is no key") }
                names.append(text(start..<position))
            }
            skipSpace()
        } while take(".")
        return names
    }

    // MARK: Values

    private mutating func value(_ depth: Int) throws(TOMLError) -> TOMLValue {
        guard depth < Self.maximumDepth else { throw error("values lie too deep in each other") }
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try string(allowingLines: true))
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "{"): return try inlineTable(depth)
        default: return try word()
        }
    }

    private mutating func array(_ depth: Int) throws(TOMLError) -> TOMLValue {
        position += 1
        var members: [TOMLValue] = []
        while true {
            skipBlank()
            if take("]") { return .array(members) }
            members.append(try value(depth + 1))
            skipBlank()
            if take(",") { continue }
            guard take("]") else { throw error("an array has no end") }
            return .array(members)
        }
    }

    private mutating func inlineTable(_ depth: Int) throws(TOMLError) -> TOMLValue {
        position += 1
        let table = Table()
        skipSpace()
        if take("}") { return table.value }
        while true {
            try pair(into: table, depth: depth + 1)
            skipSpace()
            if take(",") { continue }
            guard take("}") else { throw error("an inline table has no end") }
            return table.value
        }
    }

    /// A truth value, a number, a date or a time.
    private mutating func word() throws(TOMLError) -> TOMLValue {
        let start = position
        while let byte = peek, Self.isBare(byte) || "+.:".utf8.contains(byte) { position += 1 }
        let word = text(start..<position)
        switch word {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf", "-inf", "nan", "+nan", "-nan": return .other(word)
        default: break
        }
        let digits = word.drop { $0 == "+" || $0 == "-" }
        guard let first = digits.utf8.first, Self.isDigit(first), word.utf8.count - digits.utf8.count < 2
        else { throw error("there is no value") }
        guard let number = Self.integer(word) else {
            guard word.utf8.contains(where: { ".eE:-".utf8.contains($0) }) else {
                throw error("a number is wrong or too large")
            }
            return .other(word)
        }
        return .integer(number)
    }

    private static func integer(_ word: String) -> Int64? {
        let bytes = Array(word.utf8)
        let isSeparated = bytes.indices.allSatisfy { index in
            bytes[index] != UInt8(ascii: "_")
                || (index > 0 && index + 1 < bytes.count && isHex(bytes[index - 1])
                    && isHex(bytes[index + 1]))
        }
        guard isSeparated else { return nil }
        let plain = word.filter { $0 != "_" }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where plain.hasPrefix(prefix) {
            let digits = plain.dropFirst(2)
            return digits.utf8.allSatisfy(isHex) ? Int64(digits, radix: radix) : nil
        }
        let digits = plain.drop { $0 == "+" || $0 == "-" }
        guard digits.utf8.allSatisfy(isDigit), digits == "0" || !digits.hasPrefix("0") else { return nil }
        return Int64(plain)
    }

    // MARK: Strings

    private mutating func string(allowingLines: Bool) throws(TOMLError) -> String {
        guard let quote = peek else { throw error("there is no string") }
        let isLiteral = quote == UInt8(ascii: "'")
        let isLong = allowingLines && bytes[position...].starts(with: [quote, quote, quote])
        position += isLong ? 3 : 1
        if isLong { _ = takeNewline() }
        var text: [UInt8] = []
        while let byte = peek {
            if byte == quote {
                guard isLong else {
                    position += 1
                    return String(decoding: text, as: UTF8.self)
                }
                // Up to two quotation marks may stand before the three that end it.
                let run = bytes[position...].prefix(5).prefix { $0 == quote }.count
                position += run
                guard run >= 3 else {
                    text += [UInt8](repeating: quote, count: run)
                    continue
                }
                text += [UInt8](repeating: quote, count: run - 3)
                return String(decoding: text, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\"), !isLiteral {
                text += try escape(isLong: isLong)
                continue
            }
            let isLine = byte == 0x0A || (byte == 0x0D && bytes[position...].dropFirst().first == 0x0A)
            guard isLong && isLine || byte == 0x09 || (byte >= 0x20 && byte != 0x7F) else {
                throw error(isLine ? "a string has no end" : "a string holds a control character")
            }
            text.append(byte)
            position += 1
        }
        throw error("a string has no end")
    }

    private mutating func escape(isLong: Bool) throws(TOMLError) -> [UInt8] {
        position += 1
        guard let byte = peek else { throw error("a string has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return [byte]
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let count = byte == UInt8(ascii: "u") ? 4 : 8
            let digits = bytes[position...].prefix(count)
            guard digits.count == count, digits.allSatisfy(Self.isHex),
                let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(number)
            else { throw error("an escape stands for no character") }
            position += count
            return Array(String(Character(scalar)).utf8)
        default:
            // A backslash at the end of a line takes away all white space that follows.
            position -= 1
            let start = position
            skipSpace()
            guard isLong, takeNewline() else {
                position = start
                throw error("there is no such escape")
            }
            while skipSpace() || takeNewline() {}
            return []
        }
    }

    // MARK: Bytes

    private var peek: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = position
        while let byte = peek, byte == 0x20 || byte == 0x09 { position += 1 }
        return position > start
    }

    private mutating func skipComment() {
        guard peek == UInt8(ascii: "#") else { return }
        while let byte = peek, byte != 0x0A { position += 1 }
    }

    private mutating func takeNewline() -> Bool {
        if peek == 0x0A {
            position += 1
            return true
        }
        guard bytes[position...].starts(with: [0x0D, 0x0A]) else { return false }
        position += 2
        return true
    }

    /// Skips white space, ends of lines and comments.
    private mutating func skipBlank() {
        while true {
            let start = position
            skipSpace()
            skipComment()
            _ = takeNewline()
            if position == start { return }
        }
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    private func error(_ reason: String) -> TOMLError {
        TOMLError(line: 1 + bytes[..<min(position, bytes.count)].count { $0 == 0x0A }, reason: reason)
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
            || byte == 0x2D
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
