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

    /// The file, or all below the directory.
    private static func swiftFiles(at path: String) throws -> [String] {
        let top = root.appendingPathComponent(path)
        guard !path.hasSuffix(".swift") else { return [try String(contentsOf: top, encoding: .utf8)] }
        let paths = try #require(FileManager.default.subpaths(atPath: top.path))
        return try paths.filter { $0.hasSuffix(".swift") }.map {
            try String(contentsOf: top.appendingPathComponent($0), encoding: .utf8)
        }
    }

    @Test("every test that the page names is there")
    func tests() throws {
        var known: Set<String> = []
        for file in try Self.swiftFiles(at: "Tests") {
            var suite: Substring = ""
            for line in file.split(separator: "\n") {
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
            ("Sources/Tracking", /(?:reason: |static let reason = |doubt = |return |\? )$/),
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

    @Test("every reason that the code gives is in the list")
    func reasons() throws {
        let list = try Self.section()
        var missing: [String] = []
        var found = 0
        for (path, before) in Self.places {
            for file in try Self.swiftFiles(at: path) {
                // Texts of several lines are one.
                let code = file.replacing(/"""\n([^"]*?)\n *"""/) { match in
                    "\""
                        + match.1.replacing(/\\?\n */, with: " ").trimmingCharacters(in: .whitespaces)
                        .replacing("  ", with: " ") + "\""
                }
                for match in code.matches(of: /"((?:[^"\\\n]|\\.)+)"/) {
                    let line = code[..<match.range.lowerBound].suffix(120)
                    guard line.firstMatch(of: before) != nil else { continue }
                    // What stands between the values that are put in.
                    for part in match.1.replacing(/\\\([^()]*(?:\([^()]*\)[^()]*)*\)/, with: "\u{1}").split(
                        separator: "\u{1}")
                    {
                        let text = part.trimmingCharacters(in: CharacterSet(charactersIn: " :;,()'\\\""))
                        guard text.count >= 12, text.contains(" "), !text.contains("{") else { continue }
                        found += 1
                        if !list.contains(text) { missing.append("\(path): \(text)") }
                    }
                }
            }
        }
        #expect(found > 40)
        #expect(missing == [])
    }
}
