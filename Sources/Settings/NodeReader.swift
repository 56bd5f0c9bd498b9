import Yams

/// A value with its key's path and its place.
struct Field {
    var key: String
    var node: Node
    /// Where to point when the value has no place of its own.
    var mark: Mark?

    var line: Int? { (node.mark ?? mark)?.line }
}

/// Reads typed values out of nodes and gathers everything that is wrong with them.
struct NodeReader {
    let file: String
    private(set) var issues: [SettingsIssue] = []

    init(file: String) {
        self.file = file
    }

    /// Issues of one file that are told.
    private static let issueLimit = 100

    mutating func reject(_ field: Field, _ message: String) {
        guard issues.count < Self.issueLimit else {
            if issues.count == Self.issueLimit {
                issues.append(SettingsIssue(file: file, message: "has more errors"))
            }
            return
        }
        let mark = field.node.mark ?? field.mark
        issues.append(
            SettingsIssue(
                file: file, line: mark?.line, column: mark?.column,
                key: field.key.isEmpty ? nil : field.key, message: message))
    }

    /// The values of a mapping; keys other than `allowed` are rejected, keys without a value left out.
    mutating func mapping(_ field: Field, allowed: [String]) -> [String: Field]? {
        guard let fields = openMapping(field) else { return nil }
        var result: [String: Field] = [:]
        for (name, value, mark) in fields {
            guard allowed.contains(name) else {
                let near = allowed.first { Self.isNear($0, name) }
                let hint = near.map { "did you mean \($0)? " } ?? ""
                var place = value
                place.node = Node(name)
                place.mark = mark
                reject(place, "no such setting; \(hint)allowed here: \(allowed.joined(separator: ", "))")
                continue
            }
            if !Self.isNull(value.node) { result[name] = value }
        }
        return result
    }

    /// The values of a mapping whose keys the operator chooses.
    mutating func openMapping(_ field: Field) -> [(name: String, value: Field, mark: Mark?)]? {
        guard case .mapping(let mapping) = field.node else {
            reject(field, "must be a mapping of keys to values, not \(Self.kind(of: field.node))")
            return nil
        }
        var result: [(name: String, value: Field, mark: Mark?)] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                reject(Field(key: field.key, node: key), "a key must be a plain text")
                continue
            }
            let name = SettingsText.printable(scalar.string)
            let path = field.key.isEmpty ? name : "\(field.key).\(name)"
            result.append((scalar.string, Field(key: path, node: value, mark: scalar.mark), scalar.mark))
        }
        return result
    }

    mutating func list(_ field: Field) -> [Field]? {
        guard case .sequence(let sequence) = field.node else {
            reject(field, "must be a list, not \(Self.kind(of: field.node))")
            return nil
        }
        return sequence.enumerated().map { index, node in
            Field(key: "\(field.key)[\(index)]", node: node, mark: field.node.mark)
        }
    }

    mutating func text(_ field: Field) -> String? {
        guard case .scalar(let scalar) = field.node, !Self.isNull(field.node) else {
            reject(field, "must be a text, not \(Self.kind(of: field.node))")
            return nil
        }
        return scalar.string
    }

    /// A value that `read` takes from a text or rejects with a reason.
    mutating func value<T>(
        _ field: Field?, _ read: (String) throws(SettingsText.Rejection) -> T
    ) -> T? {
        guard let field, let text = text(field) else { return nil }
        do throws(SettingsText.Rejection) {
            return try read(text)
        } catch {
            reject(field, error.description)
            return nil
        }
    }

    mutating func choice<T: RawRepresentable & CaseIterable>(_ field: Field?) -> T?
    where T.RawValue == String {
        value(field) { text throws(SettingsText.Rejection) in
            if let value = T(rawValue: text) { return value }
            let allowed = T.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingsText.Rejection("\(SettingsText.quote(text)) is not one of \(allowed)")
        }
    }

    mutating func flag(_ field: Field?) -> Bool? {
        value(field) { text throws(SettingsText.Rejection) in
            if let value = SettingsText.truth(text) { return value }
            throw SettingsText.Rejection("\(SettingsText.quote(text)) is neither true nor false")
        }
    }

    /// A duration in milliseconds within bounds.
    mutating func milliseconds(_ field: Field?, in range: ClosedRange<Int64>) -> Int64? {
        value(field) { text throws(SettingsText.Rejection) in
            let value = try SettingsText.milliseconds(text)
            guard range.contains(value) else {
                let bounds = [range.lowerBound, range.upperBound].map(SettingsText.duration)
                throw SettingsText.Rejection(
                    "\(SettingsText.quote(text)) is out of range: from \(bounds[0]) to \(bounds[1])")
            }
            return value
        }
    }

    /// A duration of whole seconds within bounds.
    mutating func seconds(_ field: Field?, in range: ClosedRange<Int64>) -> Int? {
        guard
            let milliseconds = milliseconds(
                field, in: range.lowerBound * 1000...range.upperBound * 1000)
        else { return nil }
        guard milliseconds % 1000 == 0 else {
            if let field { reject(field, "must be whole seconds") }
            return nil
        }
        return Int(milliseconds / 1000)
    }

    static func isNull(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else {
            return false
        }
        return ["", "~", "null"].contains(scalar.string)
    }

    private static func kind(of node: Node) -> String {
        switch node {
        case .scalar where isNull(node): "nothing"
        case .scalar(let scalar): SettingsText.quote(scalar.string)
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    /// Whether two keys differ by one character or by the end, case and separators aside.
    private static func isNear(_ allowed: String, _ given: String) -> Bool {
        let plain = { (text: String) in text.lowercased().filter { $0 != "_" && $0 != "-" } }
        let (one, two) = (Array(plain(allowed)), Array(plain(given)))
        if two.count > 2, one.starts(with: two) || two.starts(with: one) { return true }
        guard abs(one.count - two.count) <= 1 else { return false }
        let head = zip(one, two).prefix { $0 == $1 }.count
        let rests = (one.dropFirst(head), two.dropFirst(head))
        let tail = zip(rests.0.reversed(), rests.1.reversed()).prefix { $0 == $1 }.count
        return max(one.count, two.count) - head - tail <= 1
    }
}
