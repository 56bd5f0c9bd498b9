import Foundation
import UsageTestKit

/// A run in the two forms in which it is kept.
struct BenchReport {
    let machine: Machine
    let figures: [Figure]

    private struct Ratios: Encodable {
        var machine: String
        var figures: [Figure]
    }

    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(Ratios(machine: machine.text, figures: figures)) + Data("\n".utf8)
    }

    /// The table, with goal and figure side by side.
    func table() -> String {
        var lines = ["| measure | goal | figure | of |", "|---|---|---|---|"]
        for figure in figures {
            let goal = figure.goal.map { "at most \(figure.unit.text($0))" } ?? "reported"
            let value = figure.unit.text(figure.value)
            let text = figure.isMet == false ? "**\(value), missed**" : value
            lines.append("| \(figure.measure) | \(goal) | \(text) | \(figure.detail) |")
        }
        return lines.joined(separator: "\n")
    }

    /// Puts the table between the marks in a document, and leaves the rest of it as it is.
    func write(into path: String) throws {
        let begin = "<!-- table: make bench -->"
        let end = "<!-- end of table -->"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard let first = text.range(of: begin), let last = text.range(of: end),
            first.upperBound <= last.lowerBound
        else { throw WaitFailure(description: "\(path) has no '\(begin)' before '\(end)'") }
        let new = "\n\(machine.text)\n\n\(table())\n"
        try text.replacingCharacters(in: first.upperBound..<last.lowerBound, with: new)
            .write(toFile: path, atomically: true, encoding: .utf8)
    }
}
