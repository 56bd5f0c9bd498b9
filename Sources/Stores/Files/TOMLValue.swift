/// A value of a TOML document.
indirect enum TOMLValue: Hashable, Sendable {
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    /// A number with a fraction, a date or a time, as it is written.
    case other(String)
    case array([TOMLValue])
    case table([String: TOMLValue])

    /// The value that a path of keys leads to; the first table of an array of tables stands for the array.
    func value(_ path: String...) -> TOMLValue? {
        var value = self
        for key in path {
            if case .array(let members) = value, let first = members.first { value = first }
            guard case .table(let members) = value, let next = members[key] else { return nil }
            value = next
        }
        return value
    }

    var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var boolean: Bool? {
        if case .boolean(let isTrue) = self { isTrue } else { nil }
    }

    var integer: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }

    var table: [String: TOMLValue]? {
        if case .table(let members) = self { members } else { nil }
    }

    /// The strings of an array; `nil` where it is none or holds anything else.
    var strings: [String]? {
        guard case .array(let members) = self else { return nil }
        let strings = members.compactMap(\.string)
        return strings.count == members.count ? strings : nil
    }
}

/// Why a text is no TOML.
struct TOMLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first line is 1.
    let line: Int
    let reason: String

    var description: String { "line \(line): \(reason)" }
}
