import Foundation
import UsageTestKit

/// A manual page's source in `mdoc`.
struct ManualPage {
    struct Section {
        var title: String
        var lines: [Substring]
    }

    let path: String
    let lines: [Substring]

    init(_ name: String) throws {
        path = "\(BaseRoot.package)/Documentation/man/\(name)"
        lines = try String(contentsOfFile: path, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
    }

    /// The parts that begin with a macro: `.Sh` for sections, `.Ss` for those inside.
    func sections(_ macro: String) -> [Section] {
        var result: [Section] = []
        for line in lines {
            if line.hasPrefix(macro + " ") {
                result.append(Section(title: String(line.dropFirst(macro.count + 1)), lines: []))
            } else if line.hasPrefix(".Sh ") {
                // A section ends those inside, too.
                result.append(Section(title: "", lines: []))
            }
            result.indices.last.map { result[$0].lines.append(line) }
        }
        return result.filter { !$0.title.isEmpty }
    }

    func section(_ title: String) -> [Substring] {
        sections(".Sh").first { $0.title == title }?.lines ?? []
    }

    /// The options that the lines name, as one types them: by `Fl`, and in examples.
    static func options(_ lines: [Substring]) -> Set<String> {
        var found: Set<String> = []
        for line in lines {
            let words = line.split(separator: " ")
            for (word, next) in zip(words, words.dropFirst()) where word == "Fl" || word == ".Fl" {
                found.insert("-\(next)")
            }
            if !line.hasPrefix(".") {
                found.formUnion(words.filter { $0.hasPrefix("--") }.map { String($0.prefix { $0 != "=" }) })
            }
        }
        return found
    }
}

/// What a built program says of itself.
enum Help {
    /// The options that its help lists, `-h` and the like among them.
    static func options(_ arguments: [String]) async throws -> Set<String> {
        let text = try await Command.output([UsagedProcess.executable(arguments[0])] + arguments.dropFirst())
        var found: Set<String> = []
        // An option stands at the beginning of a line of the list, with its other names.
        for line in text.split(separator: "\n") where line.hasPrefix("  -") {
            for word in line.dropFirst(2).split(separator: " ", omittingEmptySubsequences: false) {
                guard word.hasPrefix("-") else {
                    if word.hasPrefix("<") { continue }
                    break
                }
                found.insert(String(word.prefix { $0 != "," }))
            }
        }
        return found
    }

    /// The commands that the client's help lists.
    static func commands() async throws -> [String] {
        let text = try await Command.output([UsagedProcess.executable("usage-client"), "--help"])
        let list = text.components(separatedBy: "SUBCOMMANDS:\n").last ?? ""
        return list.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("  "), !line.hasPrefix("   "), !line.hasPrefix("  See ") else { return nil }
            return line.split(separator: " ").first.map(String.init)
        }
    }
}
