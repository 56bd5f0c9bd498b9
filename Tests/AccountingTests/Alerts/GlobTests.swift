import Accounting
import Testing
import UsageTestKit

@Suite("Glob patterns")
struct GlobTests {
    @Test(
        "a star stands for any run, a question mark for one character",
        arguments: [
            ("", "", true), ("", "a", false), ("*", "", true), ("*", "anything", true), ("?", "", false),
            ("?", "é", true), ("web-*", "web-1", true), ("web-*", "web", false), ("*-db", "my-db", true),
            ("*a*b*", "xxaxxbxx", true), ("*a*b*", "xxbxxaxx", false), ("a?c", "abc", true),
            ("a?c", "ac", false), ("nginx:*", "nginx:1.27", true), ("Web", "web", false),
            ("*.example.com", "a.example.com", true), ("**", "", true), ("a*a", "a", false),
        ])
    func examples(pattern: String, text: String, isMatch: Bool) {
        #expect(Glob(pattern).matches(text) == isMatch)
    }

    @Test("many stars on a long text end at once")
    func hostilePattern() {
        let glob = Glob(String(repeating: "*a", count: 500) + "b")
        #expect(!glob.matches(String(repeating: "a", count: 20_000)))
    }

    @Test("random patterns agree with the plain recursion", arguments: 0..<4 as Range<UInt64>)
    func model(seed: UInt64) throws {
        func matches(_ pattern: Substring, _ text: Substring) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            if first == "*" {
                return matches(pattern.dropFirst(), text)
                    || !text.isEmpty && matches(pattern, text.dropFirst())
            }
            guard let head = text.first, first == "?" || first == head else { return false }
            return matches(pattern.dropFirst(), text.dropFirst())
        }
        var random = SeededGenerator(seed: seed)
        for _ in 0..<3000 {
            let pattern = String(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    "ab*?".randomElement(using: &random) ?? "a"
                })
            let text = String(
                (0..<Int.random(in: 0...8, using: &random)).map { _ in
                    "ab".randomElement(using: &random) ?? "a"
                })
            try #require(
                Glob(pattern).matches(text) == matches(pattern[...], text[...]),
                "seed \(seed): \(pattern) on \(text)")
        }
    }
}
