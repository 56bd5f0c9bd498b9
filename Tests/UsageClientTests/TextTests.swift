import Testing
import UsageTestKit

@testable import UsageClient

struct TerminalTextTests {
    @Test("what does not show as itself becomes hexadecimal bytes")
    func escapes() {
        #expect(TerminalText.name("web-1_ä") == "web-1_ä")
        #expect(TerminalText.name("a\u{1B}[2J\n\r\t\u{7F}") == #"a\x1b[2J\x0a\x0d\x09\x7f"#)
        #expect(
            TerminalText.name("a\u{202E}b\u{2028}\u{200D}\u{85}")
                == #"a\xe2\x80\xaeb\xe2\x80\xa8\xe2\x80\x8d\xc2\x85"#)
        #expect(TerminalText.name(#"a\x1b"#) == #"a\\x1b"#)
        #expect(TerminalText.prose(#"a\x1b"#) == #"a\x1b"#)
    }

    @Test("a heap of combining marks does not smear over other lines")
    func marks() {
        let heap = "e" + String(repeating: "\u{301}", count: 50)
        let shown = TerminalText.name(heap)
        #expect(shown.unicodeScalars.filter { $0 == "\u{301}" }.count == 4)
    }

    @Test("wide characters take two columns, combining marks none")
    func columns() {
        #expect(TerminalText.columns("abc") == 3)
        #expect(TerminalText.columns("日本") == 4)
        #expect(TerminalText.columns("e\u{301}") == 1)
        #expect(TerminalText.columns("🐳") == 2)
    }

    @Test("a name is cut in the middle, a sentence at its end")
    func cuts() {
        #expect(TerminalText.cutMiddle("registry/zigiweb:latest", to: 11) == "regis…atest")
        #expect(TerminalText.cutMiddle("日本日本日本", to: 6) == "日…本")
        #expect(TerminalText.cutMiddle("abc", to: 3) == "abc")
        #expect(TerminalText.cutEnd("apt-get update", to: 8) == "apt-get…")
    }

    @Test("no text comes out longer than asked, nor with a control character")
    func random() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            var text = ""
            for _ in 0..<Int.random(in: 0..<20, using: &generator) {
                let value = UInt32.random(in: 0..<0x3_0000, using: &generator)
                text.unicodeScalars.append(Unicode.Scalar(value) ?? "x")
            }
            let limit = Int.random(in: 0..<25, using: &generator)
            let name = TerminalText.name(text)
            for cut in [TerminalText.cutMiddle(name, to: limit), TerminalText.cutEnd(name, to: limit)] {
                #expect(TerminalText.columns(cut) <= limit, "seed \(seed)")
                #expect(
                    cut.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "seed \(seed)")
            }
        }
    }
}

struct ByteFormatTests {
    @Test(
        "decimal sizes print as Docker prints them",
        arguments: [
            (0, "0B"), (999, "999B"), (1000, "1kB"), (1615, "1.615kB"), (188_304_295, "188.3MB"),
            (227_877_825, "227.9MB"), (20_000_000, "20MB"), (999_999, "1000kB"),
            (1_234_500_000_000, "1.234TB"),
            (Int64.max, "9.223EB"), (-3_100_000, "-3.1MB"), (Int64.min, "-9.223EB"),
        ] as [(Int64, String)])
    func decimal(bytes: Int64, text: String) {
        #expect(ByteFormat.decimal.string(bytes) == text)
    }

    @Test("binary and exact sizes name their unit")
    func others() {
        #expect(ByteFormat.binary.string(227_877_825) == "217.3MiB")
        #expect(ByteFormat.binary.string(1024) == "1KiB")
        #expect(ByteFormat.exact.string(227_877_825) == "227877825B")
        #expect(ByteFormat.decimal.string(225_400_000, separator: " ") == "225.4 MB")
    }

    @Test("a change has its sign, none has none")
    func signs() {
        #expect(ByteFormat.decimal.signed(20_971_520) == "+20.97MB")
        #expect(ByteFormat.decimal.signed(-4096) == "-4.096kB")
        #expect(ByteFormat.decimal.signed(0) == "0B")
    }

    @Test("a share of nothing, or out of range, is no trap")
    func shares() {
        #expect(percent(1, of: 0) == "-")
        #expect(percent(1, of: 1000) == "<1%")
        #expect(percent(69, of: 100) == "69%")
        #expect(percent(.max, of: 1) == "9999%")
    }
}

struct TimestampTests {
    @Test("RFC 3339 is read with fraction and offset")
    func reads() {
        #expect(Timestamp("1970-01-01T00:00:00Z")?.seconds == 0)
        #expect(Timestamp("2026-11-24T14:02:11.123Z")?.seconds == 1_795_528_931)
        #expect(Timestamp("2026-11-24T15:02:11+01:00") == Timestamp("2026-11-24T14:02:11.9Z"))
        #expect(Timestamp("2000-02-29T23:59:59Z")?.dateAndClock(.utc) == "2000-02-29 23:59:59")
        let start = Timestamp(seconds: 0)
        #expect(start.age(before: Timestamp(seconds: 729 * 86400)) == "729d")
        #expect(start.age(before: Timestamp(seconds: 730 * 86400)) == "2y")
    }

    @Test(
        "anything else is no time",
        arguments: ["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-24T14:02:11+1"])
    func refuses(text: String) {
        #expect(Timestamp(text) == nil)
    }
}

struct TextTableTests {
    @Test("names are cut only as far as needed, then columns go by rank")
    func fits() {
        var table = TextTable([.name("NAME", shrinksTo: 6), .text("ID", dropRank: 1), .number("SIZE")])
        table.add(["a-rather-long-name", "0123456789ab", "1MB"])
        #expect(table.lines(RenderOptions(width: nil))[1] == "a-rather-long-name  0123456789ab   1MB")
        #expect(table.lines(RenderOptions(width: 30))[1] == "a-rat…name  0123456789ab   1MB")
        #expect(
            table.lines(RenderOptions(width: 20))[1]
                == "a-rathe…g-name   1MB")
    }

    @Test("a name that keeps its width is cut after columns have gone")
    func keeps() {
        var table = TextTable([
            .name("NAME", shrinksTo: 6, keeps: 14), .text("ID", dropRank: 1), .number("SIZE"),
        ])
        table.add(["a-rather-long-name", "0123456789ab", "1MB"])
        #expect(table.lines(RenderOptions(width: 34))[1] == "a-rathe…g-name  0123456789ab   1MB")
        #expect(table.lines(RenderOptions(width: 33))[1] == "a-rather-long-name   1MB")
        #expect(table.lines(RenderOptions(width: 20))[1] == "a-rathe…g-name   1MB")
        #expect(table.lines(RenderOptions(width: 12))[1] == "a-r…me   1MB")
    }
}
