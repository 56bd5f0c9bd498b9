import Yams

/// One YAML file as nodes that know their place, refused before it can do harm.
///
/// Refused are files that are not UTF-8 or too large, collections nested too deep for a recursive parser, and
/// anchors: with them a small file can stand for one that is exponentially larger.
struct YAMLDocument {
    static let sizeLimit = 1 << 20
    private static let depthLimit = 64

    let file: String
    /// `nil` for a file without content.
    let root: Node?

    init(file: String, bytes: [UInt8]) throws(SettingsError) {
        self.file = file
        if let issue = Self.refusal(bytes, file) { throw SettingsError(issues: [issue]) }
        let text = String(decoding: bytes, as: UTF8.self)
        do {
            // Types are decided by the key, not by how a value looks: `1:30` and `no` stay what they say.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            root = try parser.singleRoot()
        } catch let error as YamlError {
            throw SettingsError(issues: [Self.issue(error, text, file)])
        } catch {
            throw SettingsError(issues: [SettingsIssue(file: file, message: "\(error)")])
        }
    }

    private static func refusal(_ bytes: [UInt8], _ file: String) -> SettingsIssue? {
        guard bytes.count <= sizeLimit else {
            return SettingsIssue(file: file, message: "is larger than 1 MiB, the most that is read")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            return SettingsIssue(file: file, message: "is not UTF-8 text")
        }
        var line = 1
        var lineStart = 0
        var isLeading = true
        var flowDepth = 0
        var before = UInt8(ascii: "\n")
        for (index, byte) in bytes.enumerated() {
            let issue = { (message: String) in
                SettingsIssue(file: file, line: line, column: index - lineStart + 1, message: message)
            }
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                lineStart = index + 1
                isLeading = true
            case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"),
                UInt8(ascii: "\t"):
                // Each block collection begins further right than the one that holds it.
                if isLeading, index - lineStart >= 2 * depthLimit { return issue("is indented too far") }
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                isLeading = false
                flowDepth += 1
                if flowDepth > depthLimit { return issue("has too many opened brackets") }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                isLeading = false
                flowDepth = max(0, flowDepth - 1)
            case UInt8(ascii: "&"):
                isLeading = false
                let after = index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: " ")
                if Self.mayPrecedeToken(before), !Self.isBlank(after) {
                    return issue("anchors (&name) are not supported; write the value out, or a space after &")
                }
            case UInt8(ascii: "\r"),
                0x85 where before == 0xC2, 0xA8...0xA9 where before == 0x80:
                // Other line breaks of YAML: CR, and in UTF-8 the ends of NEL, LS and PS.
                lineStart = index + 1
                isLeading = true
            case 0..<0x20, 0x7F:
                return issue("holds a control character; write it as an escape in double quotes")
            default:
                isLeading = false
            }
            before = byte
        }
        return nil
    }

    /// Whether a token of YAML may begin after the byte; part of a line separator in UTF-8 counts.
    private static func mayPrecedeToken(_ byte: UInt8) -> Bool {
        isBlank(byte) || byte >= 0x80 || Array("[{,:?-".utf8).contains(byte)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains(byte)
    }

    private static func issue(_ error: YamlError, _ text: String, _ file: String) -> SettingsIssue {
        var issue = SettingsIssue(file: file, message: "")
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            issue.line = mark.line
            issue.column = mark.column
            // Where the parser only says that it went wrong, the beginning of the construct says more.
            let within = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
            issue.message = "YAML: \(problem)\(within)"
            if problem.contains("alias") {
                issue.message += "; a pattern that begins with * must stand in quotes"
            } else if problem.contains("start any token") {
                issue.message += "; indent with spaces, and put a text with special characters in quotes"
            }
        case .reader(let problem, let offset, _, _):
            if let offset {
                let head = text.prefix(offset)
                issue.line = head.count { $0.isNewline } + 1
                issue.column = head.reversed().prefix { !$0.isNewline }.count + 1
            }
            issue.message = "YAML: \(problem)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            issue.line = context.mark.line
            issue.column = context.mark.column
            let names = duplicates.map { SettingsText.quote($0) }.joined(separator: ", ")
            issue.message = "\(names) given more than once in the same place; keep one"
        default:
            issue.message = "YAML: cannot be read"
        }
        return issue
    }
}
