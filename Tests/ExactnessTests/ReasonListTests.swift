import Foundation
import Testing

/// Documentation/exactness.md lists every reason for `exact: false`, with the tests that reach it.
@Suite("The list of reasons")
struct ReasonListTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func page() throws -> String {
        try String(contentsOf: root.appendingPathComponent("Documentation/exactness.md"), encoding: .utf8)
    }

    private static func section() throws -> String {
        let page = try page()
        let start = try #require(page.range(of: "## Reasons for `exact: false`"))
        let rest = page[start.upperBound...]
        return String(rest[..<(try #require(rest.range(of: "\n## "))).lowerBound])
    }

    /// The file, or all below the directory, by their paths from the root.
    private static func swiftFiles(at path: String) throws -> [(path: String, text: String)] {
        let top = root.appendingPathComponent(path)
        guard !path.hasSuffix(".swift") else { return [(path, try String(contentsOf: top, encoding: .utf8))] }
        let paths = try #require(FileManager.default.subpaths(atPath: top.path))
        return try paths.filter { $0.hasSuffix(".swift") }.map {
            ("\(path)/\($0)", try String(contentsOf: top.appendingPathComponent($0), encoding: .utf8))
        }
    }

    @Test("every test that the page names is there")
    func tests() throws {
        var known: Set<String> = []
        for file in try Self.swiftFiles(at: "Tests") {
            var suite: Substring = ""
            for line in file.text.split(separator: "\n") {
                if let match = line.firstMatch(of: /^(?:struct|extension) (\w+Tests)\b/) { suite = match.1 }
                if let match = line.firstMatch(of: /^    func (\w+)\(/) {
                    known.insert("\(suite).\(match.1)")
                }
            }
        }
        let named = try Self.page().matches(of: /`(\w+Tests\.\w+)`/).map { String($0.1) }
        #expect(named.count > 40)
        #expect(Set(named).subtracting(known) == [])
    }

    /// Where reasons are made, and what stands before their text.
    private static var places: [(path: String, before: Regex<Substring>)] {
        let problem = /(?:reason: |(?:damaged|pending|unreadable)\((?:[^"]*, )?)$/
        return [
            ("Sources/Tracking", /(?:reason: |doubt = |return |\? )$/),
            ("Sources/Stores/Docker", problem),
            ("Sources/Stores/DockerClassic", problem),
            ("Sources/Stores/ContainersStorage", problem),
            ("Sources/Stores/Containerd", problem),
            ("Sources/Stores/Bolt", problem),
            ("Sources/Stores/Files", problem),
            ("Sources/Accounting/Ledger/Ledger.swift", /reason = $/),
            ("Sources/Daemon/Following/StoreSurveys.swift", /reason = $/),
            ("Sources/Stores/Plain", problem),
            ("Sources/Daemon/Answers/InexactReasons.swift", /(?:append\(\s*|\? |: |\?\? )$/),
            ("Sources/Daemon/Following/StoreDevice.swift", /reason: $/),
        ]
    }

    private struct Reason {
        var file: String
        var line: Int
        /// What stands between the values that are put in.
        var parts: [String]
    }

    private static func reasons() throws -> [Reason] {
        var reasons: [Reason] = []
        for (path, before) in places {
            for (name, text) in try swiftFiles(at: path) {
                // Texts of several lines are one, and the lines after them keep their numbers.
                let code = text.replacing(/"""\n([^"]*?)\n *"""/) { match in
                    "\""
                        + match.1.replacing(/\\?\n */, with: " ").trimmingCharacters(in: .whitespaces)
                        .replacing("  ", with: " ") + "\""
                        + String(repeating: "\n", count: match.0.count { $0 == "\n" })
                }
                for match in code.matches(of: /"((?:[^"\\\n]|\\.)+)"/) {
                    let head = code[..<match.range.lowerBound]
                    guard head.suffix(120).firstMatch(of: before) != nil else { continue }
                    let values = /\\\([^()]*(?:\([^()]*\)[^()]*)*\)/
                    let parts = match.1.replacing(values, with: "\u{1}").split(separator: "\u{1}")
                        .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " :;,()'\\\"")) }
                        .filter { $0.count >= 12 && $0.contains(" ") && !$0.contains("{") }
                    guard !parts.isEmpty else { continue }
                    reasons.append(
                        Reason(file: name, line: head.count { $0 == "\n" } + 1, parts: parts))
                }
            }
        }
        return reasons
    }

    @Test("every reason that the code gives is in the list")
    func reasons() throws {
        let list = try Self.section()
        let reasons = try Self.reasons()
        #expect(reasons.count > 40)
        for reason in reasons {
            for part in reason.parts where !list.contains(part) {
                Issue.record("\(reason.file):\(reason.line): \(part)")
            }
        }
        // For `make reasons`, which finds those that no test reaches.
        if let file = ProcessInfo.processInfo.environment["USAGED_REASONS"] {
            let lines = reasons.map { "\($0.file):\($0.line): \($0.parts.joined(separator: " ... "))\n" }
            try lines.joined().write(toFile: file, atomically: true, encoding: .utf8)
        }
    }
}
