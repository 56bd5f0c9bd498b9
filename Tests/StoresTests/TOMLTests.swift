import Testing
import UsageTestKit

@testable import Stores

@Suite("TOML of engines' configurations")
struct TOMLTests {
    private func parse(_ text: String) throws -> TOMLValue {
        try TOMLParser.parse(Array(text.utf8))
    }

    @Test("the forms that storage.conf and config.toml are written in")
    func realForms() throws {
        let document = try parse(
            """
            # a comment
            version = 2
            [storage]
            driver = "overlay" # another
            graphroot = '/srv/c$s'
            transient_store = false
              [storage.options]
              additionalimagestores = [ # within
                "/one",
                '/two', # and after
              ]
              pull_options = {enable_partial_images = "true", use_hard_links = "false"}
            [plugins."io.containerd.gc.v1.scheduler"]
            pause_threshold = 0.02
            startup_delay = "100ms"
            [[registry]]
            prefix = "a"
            [[registry]]
            prefix = "b"
            """)
        #expect(document.value("version")?.integer == 2)
        #expect(document.value("storage", "driver")?.string == "overlay")
        #expect(document.value("storage", "graphroot")?.string == "/srv/c$s")
        #expect(document.value("storage", "transient_store")?.boolean == false)
        #expect(document.value("storage", "options", "additionalimagestores")?.strings == ["/one", "/two"])
        #expect(document.value("storage", "options", "pull_options", "use_hard_links")?.string == "false")
        let scheduler = try #require(document.value("plugins", "io.containerd.gc.v1.scheduler"))
        #expect(scheduler.value("pause_threshold") == .other("0.02"))
        #expect(document.value("registry", "prefix")?.string == "a")
        #expect(document.value("storage", "none") == nil)
        #expect(document.value("version", "none") == nil)
    }

    @Test(
        "values",
        arguments: [
            ("0", TOMLValue.integer(0)), ("-17", .integer(-17)), ("+1_000", .integer(1000)),
            ("0xDEAD_beef", .integer(0xDEAD_BEEF)), ("0o755", .integer(0o755)), ("0b101", .integer(5)),
            ("9223372036854775807", .integer(.max)), ("true", .boolean(true)), ("1e3", .other("1e3")),
            ("-inf", .other("-inf")), ("1979-05-27T07:32:00Z", .other("1979-05-27T07:32:00Z")),
            (#""a\tb\u00e9\U0001F600\"\\""#, .string("a\tb\u{E9}\u{1F600}\"\\")),
            ("'c:\\x'", .string("c:\\x")),
            ("\"\"\"\nab\"\"c\\\n   d\"\"\"\"", .string("ab\"\"cd\"")),
            ("'''\r\na\r\nb'''", .string("a\r\nb")),
            ("\"\"", .string("")), ("[]", .array([])),
            ("[[1],[ ]]", .array([.array([.integer(1)]), .array([])])),
            ("{ a.b = 1 , c = 2 }", .table(["a": .table(["b": .integer(1)]), "c": .integer(2)])),
        ])
    func values(text: String, value: TOMLValue) throws {
        #expect(try parse("key = \(text)") == .table(["key": value]))
        #expect(try parse("key=\(text) # end\r\n") == .table(["key": value]))
    }

    @Test(
        "what is no TOML is refused, with its line",
        arguments: [
            "key", "key =", "= 1", "key = 1 2", "key = \"open", "key = \"a\nb\"", "key = [1", "key = {a = 1",
            "key = [1 2]", "[table", "[table]]", "[[table]", "[]", "key = 1\nkey = 2", "[a]\n[a]",
            "a = 1\n[a]",
            "[a]\nb = 1\n[a.b]", "a = {}\n[a]", "[[a]]\n[a]", "[a]\n[[a]]", "key = 01", "key = 1__0",
            "key = _1",
            "key = 99999999999999999999", "key = 0xg", "key = maybe", "key = +-1", #"key = "\x""#,
            #"key = "\uD800""#, "key = \"\u{1}\"", "key = \"\"\"open\"\"", "a.b = 1\na = 2", "key = 1 ]",
            "\u{0}",
            "key = " + String(repeating: "[", count: 100_000),
            "a" + String(repeating: ".a", count: 100_000) + "=1",
            "key = " + String(repeating: "{a=", count: 100_000),
        ])
    func refused(text: String) throws {
        #expect(throws: TOMLError.self) { try parse(text) }
        let error = try #require(throws: TOMLError.self) { try parse("# one\n\n# three\n" + text) }
        #expect(error.line >= 4)
    }

    @Test("a file that is no UTF-8 is refused")
    func notUTF8() {
        #expect(throws: TOMLError.self) { try TOMLParser.parse([0x61, 0x3D, 0x22, 0xFF, 0x22]) }
    }

    @Test("bytes that changed by chance give a value or an error", arguments: [UInt64(1), 2, 3, 4])
    func changedBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let whole = Array(
            #"[a.'b']\#nc = ["x", """y\#n\z""", 1, {d = 0x1f, e.f = 'g'}]\#n[[h]]\#ni = true # j\#n"#.utf8)
        for _ in 0..<5000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: bytes.removeSubrange(index...)
                default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &generator)], at: index)
                }
                if bytes.isEmpty { break }
            }
            let first = Result { try TOMLParser.parse(bytes) }
            let second = Result { try TOMLParser.parse(bytes) }
            #expect((try? first.get()) == (try? second.get()), "seed \(seed)")
        }
    }
}
