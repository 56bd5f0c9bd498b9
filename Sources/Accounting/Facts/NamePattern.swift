/// Which names of directory entries are meant: one, or all that start and end in a way, with given parts between.
public struct NamePattern: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// What the name starts with; all of it where ``suffix`` is `nil`.
    public var prefix: [UInt8]
    /// What the name ends with, any bytes being between; `nil` where the name is ``prefix``.
    public var suffix: [UInt8]?
    /// Parts that stand between the two, in this order and with any bytes around them.
    public var infixes: [[UInt8]] = []

    /// The one name of these bytes.
    public init(exactly name: some Sequence<UInt8>) {
        prefix = Array(name)
        suffix = nil
    }

    /// A name in which each `*` stands for any bytes, or none.
    public init(stringLiteral pattern: String) {
        let parts = pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        prefix = Array(parts[0])
        suffix = parts.count > 1 ? parts.last.map { Array($0) } : nil
        infixes = parts.dropFirst().dropLast().map { Array($0) }
    }

    public func matches(_ name: [UInt8]) -> Bool {
        guard let suffix else { return name == prefix }
        guard name.count >= prefix.count + suffix.count, name.starts(with: prefix),
            name[(name.count - suffix.count)...].elementsEqual(suffix)
        else { return false }
        var between = name[prefix.count..<(name.count - suffix.count)]
        // The first place of each part leaves the most for the parts behind it.
        for part in infixes {
            guard
                let start = between.indices.first(where: { between[$0...].starts(with: part) })
                    ?? (part.isEmpty ? between.endIndex : nil)
            else { return false }
            between = between[(start + part.count)...]
        }
        return true
    }

    public var description: String {
        let parts = [prefix] + infixes + (suffix.map { [$0] } ?? [])
        return parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "*")
    }
}

/// Which paths below a directory are meant, name by name.
public struct PathPattern: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public var names: [NamePattern]

    public init(_ names: [NamePattern]) {
        self.names = names
    }

    /// Names as ``NamePattern`` has them, with `/` between them.
    public init(stringLiteral pattern: String) {
        names = pattern.split(separator: "/").map { NamePattern(stringLiteral: String($0)) }
    }

    /// The one path of these names.
    public init(exactly path: String) {
        names = path.utf8.split(separator: UInt8(ascii: "/")).map { NamePattern(exactly: $0) }
    }

    public func matches(_ path: [[UInt8]]) -> Bool {
        path.count == names.count && zip(names, path).allSatisfy { $0.matches($1) }
    }

    public var description: String {
        names.map(\.description).joined(separator: "/")
    }
}
