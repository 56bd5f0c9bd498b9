import Accounting
import Foundation
import Logging
import Testing
import UsageTestKit

@testable import Journal
@testable import Settings

@Suite("The manual pages")
struct ManualTests {
    private static let pages = ["usaged.8", "usaged.yaml.5", "usage-client.1"]

    @Test(
        "are without fault for mandoc", .enabled(if: Program.isRequired("mandoc"), "needs mandoc"),
        arguments: pages)
    func lint(name: String) async throws {
        let page = try ManualPage(name)
        let result = try await Command.run(["mandoc", "-T", "lint", "-W", "warning", page.path])
        #expect(result.status == 0 && result.out == "" && result.err == "", "\(result.out)\(result.err)")
    }

    @Test("usaged(8) names the options of the daemon's help, and no others")
    func daemon() async throws {
        let page = try ManualPage("usaged.8")
        let help = try await Help.options(["usaged", "--help"])
        #expect(help.isSuperset(of: ["--config", "--probe-overlay", "-h", "--help"]))
        #expect(ManualPage.options(page.section("OPTIONS")) == help)
        let client = try await Help.options(["usage-client", "help", "status"])
        // In the examples too, but for those of other programs.
        let own = page.lines.filter { !$0.hasPrefix("curl ") }
        #expect(ManualPage.options(own).subtracting(help).isSubset(of: client))
    }

    @Test("usage-client(1) has a part for each command of the help, in its order, and no others")
    func commands() async throws {
        let commands = try await Help.commands()
        #expect(commands.contains("status") && commands.contains("doctor"))
        let parts = try ManualPage("usage-client.1").sections(".Ss").map { $0.title.split(separator: " ")[0] }
        #expect(parts.map(String.init) == commands + ["help"])
    }

    @Test("usage-client(1) names each command's options and those of all, and no others")
    func options() async throws {
        let page = try ManualPage("usage-client.1")
        let common = ManualPage.options(page.section("COMMON OPTIONS"))
        for part in page.sections(".Ss") {
            let command = String(part.title.split(separator: " ")[0])
            guard command != "help" else { continue }
            let help = try await Help.options(["usage-client", command, "--help"])
            let named = ManualPage.options(part.lines)
            // A program of its own.
            if command == "notify" {
                #expect(named == help)
                continue
            }
            #expect(help.isSuperset(of: common), "\(command)")
            #expect(named.isSuperset(of: help.subtracting(common)), "\(command)")
            #expect(named.isSubset(of: help), "\(command)")
        }
        // In front of commands too, and in the examples.
        let all = try await Help.commands().asyncUnion {
            try await Help.options(["usage-client", $0, "--help"])
        }
        #expect(ManualPage.options(page.lines).isSubset(of: all))
    }

    @Test("examples call commands that exist")
    func examples() async throws {
        let known = Set(try await Help.commands() + ["help"])
        for name in Self.pages {
            for line in try ManualPage(name).lines where !line.hasPrefix(".") {
                let parts = line.components(separatedBy: "usage-client ").dropFirst()
                for part in parts where !part.hasPrefix("(") {
                    let words = part.split(separator: " ")
                    // The value of a common option in front is no command.
                    let command =
                        words.first?.hasPrefix("--") == true ? words.dropFirst(2).first : words.first
                    #expect(known.contains(command.map(String.init) ?? ""), "\(name): \(line)")
                }
            }
        }
    }

    @Test("usaged(8) has every kind of record with its MESSAGE_ID and all its fields, and no others")
    func records() throws {
        var parts: [String: Set<String>] = [:]
        var current: String?
        var others: Set<String> = []
        for line in try ManualPage("usaged.8").section("JOURNAL") {
            let words = line.split(separator: " ")
            if line.hasPrefix(".It Li ") {
                let id = String(words[2])
                #expect(parts[id] == nil)
                current = id
                parts[id] = []
            } else if line.hasPrefix(".Va ") {
                if let current {
                    parts[current]?.insert(String(words[1]))
                } else {
                    others.insert(String(words[1]))
                }
            }
        }
        let expected = Dictionary(
            uniqueKeysWithValues: RecordKind.allCases.map { kind in
                (kind.messageID, Set(kind.metadataKeys.map(JournalField.name(of:))))
            })
        #expect(parts == expected)

        // What stands in front of them is what every record has, and what some have.
        var record = LogRecord(
            LogEvent(
                level: .warning, message: "m", metadata: nil, source: nil, file: "f", function: "f", line: 1),
            label: "l", metadata: [:])
        record.messageID = RecordKind.started.messageID
        record.dropped = 1
        #expect(others == Set(JournalField.fields(of: record).map(\.name)))
    }

    @Test("usaged.yaml(5) has every setting, and no others")
    func settings() throws {
        let known = Self.settings(below: [], in: { $0 })
        #expect(known.isSuperset(of: ["stores", "tracking.batch_interval", "alerts.match.labels"]))
        var named: Set<String> = []
        let page = try ManualPage("usaged.yaml.5")
        for line in page.section("SETTINGS") + page.section("ALERT RULES") + page.section("RECEIVERS")
        where line.hasPrefix(".It Va ") {
            named.insert(String(line.dropFirst(".It Va ".count)))
        }
        #expect(named == known)
        // Its example is one.
        let text = page.section("EXAMPLES").drop { !$0.hasPrefix(".Bd") }.dropFirst().prefix {
            !$0.hasPrefix(".Ed")
        }
        let example = try Settings.load(files: [("example", Array(text.joined(separator: "\n").utf8))])
        #expect(example.alerts.map(\.name) == ["database-size"] && example.stores.count == 1)
    }

    private static let optional = [
        "alerts", "alerts.match", "notify.receivers", "notify.receivers.match",
    ]

    /// The names of all settings, as the reader tells them when it is given one that it does not know.
    ///
    /// It is given in the mappings of `path`; `text` puts it, in YAML's flow style, in its place in the file.
    private static func settings(below path: [String], in text: (String) -> String) -> Set<String> {
        guard path.count < 5 else { return [] }
        let unknown = "no-such-setting"
        var allowed: [Substring] = []
        do {
            _ = try Settings.load(files: [("test", Array(text("{\(unknown): 1}").utf8))])
        } catch {
            for issue in error.issues where issue.key?.hasSuffix(unknown) == true {
                let list = issue.message.components(separatedBy: "allowed here: ").dropFirst().joined()
                allowed += list.components(separatedBy: ", ").map { Substring($0) }
            }
        }
        var result: Set<String> = []
        for name in allowed where !name.isEmpty {
            let path = path + [String(name)]
            var inner = settings(below: path) { text("{\(name): \($0)}") }
            inner.formUnion(settings(below: path) { text("{\(name): [\($0)]}") })
            // A mapping of settings is none itself, unless it is optional as a whole.
            if inner.isEmpty || Self.optional.contains(path.joined(separator: ".")) {
                result.insert(path.joined(separator: "."))
            }
            result.formUnion(inner)
        }
        return result
    }

    @Test("units point to pages that exist")
    func references() throws {
        let names = Set(Self.pages)
        let folder = "\(BaseRoot.package)/systemd"
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            guard file.hasSuffix(".service") || file.hasSuffix(".socket") else { continue }
            let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.hasPrefix("Documentation=") }
            let pages = (line?.dropFirst("Documentation=".count) ?? "").split(separator: " ")
            #expect(!pages.isEmpty, "\(file)")
            for page in pages {
                #expect(page.hasPrefix("man:") && page.hasSuffix(")"), "\(file): \(page)")
                let name = page.dropFirst("man:".count).dropLast().split(separator: "(").joined(
                    separator: ".")
                #expect(names.contains(name), "\(file): \(page)")
            }
        }
    }
}

extension Sequence {
    /// The union of what `body` makes of each element.
    fileprivate func asyncUnion<Value>(_ body: (Element) async throws -> Set<Value>) async rethrows -> Set<
        Value
    > {
        var result: Set<Value> = []
        for element in self { result.formUnion(try await body(element)) }
        return result
    }
}
