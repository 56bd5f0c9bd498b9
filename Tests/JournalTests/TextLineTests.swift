import Logging
import Testing

@testable import Journal

@Suite("Lines on standard error")
struct TextLineTests {
    private func record(_ message: String, _ metadata: Logger.Metadata = [:]) -> LogRecord {
        LogRecord(
            LogEvent(
                level: .warning, message: "\(message)", metadata: nil, source: nil, file: "F", function: "f",
                line: 1), label: "l", metadata: metadata)
    }

    @Test("a line has a priority prefix for programs, a time for people")
    func forms() {
        let record = record("web grew", ["rule": "growth", "note": "two words"])
        #expect(TextLine.prefixed(record) == "<4>usaged: web grew note=\"two words\" rule=growth\n")
        #expect(
            TextLine.plain(record, time: 1_420_254_245)
                == "2015-01-03T03:04:05Z warning: web grew note=\"two words\" rule=growth\n")
    }

    @Test(
        "no text of a container makes a second line or moves the cursor",
        arguments: [
            "a\n<0>usaged: forged", "a\r\nb", "\u{1B}[2J\u{1B}]0;title\u{7}", "\u{2028}\u{2029}\u{85}",
            "\u{202E}txt.exe", "\u{0}\u{7F}\u{9B}31m", "\u{E0001}\u{FEFF}",
        ])
    func hostileText(text: String) {
        let line = TextLine.prefixed(record(text, ["container": "\(text)", "k\(text)": "v"]))
        #expect(line.unicodeScalars.filter { $0.properties.isWhitespace && $0 != " " } == ["\n"])
        #expect(line.last == "\n")
        for scalar in line.unicodeScalars.dropLast() {
            #expect(
                ![.control, .format, .lineSeparator, .paragraphSeparator, .unassigned].contains(
                    scalar.properties.generalCategory))
        }
    }

    @Test("a value cannot pass for another field")
    func quoting() {
        let line = TextLine.prefixed(record("m", ["a": "x rule=\"none\"", "b": "", "c": "k=v"]))
        #expect(line == "<4>usaged: m a=\"x rule=\\\"none\\\"\" b=\"\" c=\"k=v\"\n")
    }

    @Test("text is cut between characters", arguments: 0...12)
    func cut(limit: Int) {
        let text = "aé\u{1F4A9}é"
        let cut = PrintableText.cut(text, limit: limit)
        #expect(cut.utf8.count <= limit)
        #expect(!cut.unicodeScalars.contains("\u{FFFD}"))
        if limit >= text.utf8.count { #expect(cut == text) }
    }

    @Test("the journal is chosen when standard error is its stream, and by name")
    func backend() {
        func choose(_ environment: [String: String], isTerminal: Bool = false) -> JournalBackend {
            JournalBackend.choose(environment: environment, stderr: (8, 12345), isTerminal: isTerminal)
        }
        #expect(choose(["JOURNAL_STREAM": "8:12345"]) == .journal)
        #expect(choose(["JOURNAL_STREAM": "8:12346"]) == .stderr(prefixed: true))
        for wrong in ["", ":", "8", "8:", "8:12345:1", "x:y", "-8:12345", "99999999999999999999999:1"] {
            #expect(choose(["JOURNAL_STREAM": wrong]) == .stderr(prefixed: true))
        }
        #expect(choose([:], isTerminal: true) == .stderr(prefixed: false))
        #expect(choose(["JOURNAL_STREAM": "8:12345", "USAGED_LOG": "stderr"]) == .stderr(prefixed: true))
        #expect(choose(["USAGED_LOG": "journal"], isTerminal: true) == .journal)
        #expect(choose(["USAGED_LOG": "syslog", "JOURNAL_STREAM": "8:12345"]) == .journal)
        #expect(
            JournalBackend.choose(environment: [:], stderr: nil, isTerminal: false) == .stderr(prefixed: true)
        )
        #expect(JournalBackend.complaint(environment: ["USAGED_LOG": "syslog"])?.contains("syslog") == true)
        #expect(JournalBackend.complaint(environment: ["USAGED_LOG": "journal"]) == nil)
    }
}
