import Accounting
import Testing
import UsageTestKit

@Suite("Patterns of names")
struct NamePatternTests {
    @Test(
        "each star stands for any bytes, or none",
        arguments: [
            ("a", "a", true), ("a", "ab", false), ("*", "", true), ("a*", "a", true), ("a*b", "ab", true),
            ("a*a", "a", false), ("*-json.log*", "0f-json.log", true),
            ("*-json.log*", "0f-json.log.2.gz", true),
            ("*-json.log*", "0f-json.lo", false), ("*-json.log*", "-json.log", true),
            ("a*bc*d", "abcbcd", true),
            ("a*bc*cd", "abcd", false), ("**", "x", true),
        ])
    func matches(pattern: String, name: String, isMatch: Bool) {
        let made = NamePattern(stringLiteral: pattern)
        #expect(made.matches(Array(name.utf8)) == isMatch)
        #expect(made.description == pattern)
    }

    @Test("random patterns match as a plain search does", arguments: [UInt64(1), 2, 3])
    func matchesAsSearch(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            func word(_ letters: [Character], upTo count: Int) -> String {
                String(
                    (0..<Int.random(in: 0...count, using: &generator)).map { _ in
                        letters.randomElement(using: &generator) ?? "a"
                    })
            }
            let pattern = word(["a", "b", "*"], upTo: 6)
            let name = word(["a", "b"], upTo: 8)
            #expect(
                NamePattern(stringLiteral: pattern).matches(Array(name.utf8))
                    == Self.search(Array(pattern.utf8)[...], Array(name.utf8)[...]),
                "seed \(seed): \(pattern), \(name)")
        }
    }

    private static func search(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == UInt8(ascii: "*") {
            return search(pattern.dropFirst(), name) || (!name.isEmpty && search(pattern, name.dropFirst()))
        }
        return name.first == first && search(pattern.dropFirst(), name.dropFirst())
    }
}
