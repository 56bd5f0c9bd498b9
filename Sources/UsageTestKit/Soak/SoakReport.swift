/// What a ``Soak`` did and found.
package struct SoakReport: Sendable {
    package let seed: UInt64
    package var rounds = 0
    /// Comparisons of one daemon's figures with full walks.
    package var checks = 0
    /// System calls and the like on files.
    package var operations: Int64 = 0
    package var engineOperations = 0
    package var floods = 0
    package var terminations = 0
    package var kills = 0
    /// Answers that were not exact yet, and the longest time until one was.
    package var inexactAnswers = 0
    package var longestWait = Duration.zero
    /// Of the daemon that lives on.
    package var overflows: Int64 = 0
    package var corrections: Int64 = 0
    package var load = Flatness()
    /// Why it ended before its time.
    package var failure: String?

    init(seed: UInt64) {
        self.seed = seed
    }

    /// What to repeat a failure with, and what was done.
    package var table: String {
        let memory = load.samples.map(\.anonymousBytes)
        let descriptors = load.samples.map(\.descriptors)
        let watches = load.samples.map(\.watches)
        let rows: [(String, String)] = [
            ("seed", "\(seed)"),
            ("checks, each of all figures", "\(checks) in \(rounds) rounds"),
            ("operations on files", "\(operations), \(floods) floods"),
            ("operations of the engine", "\(engineOperations)"),
            ("restarts of the other daemon", "\(terminations) by SIGTERM, \(kills) by SIGKILL"),
            (
                "answers not exact yet",
                "\(inexactAnswers), exact after \(longestWait.milliseconds) ms at the latest"
            ),
            ("overflows, corrections by audits", "\(overflows), \(corrections)"),
            ("RssAnon first, last, max", Self.row(memory) { "\($0 / 1024) KiB" }),
            (
                "RssAnon early, late window",
                load.memory.map { "\($0.early / 1024) KiB, \($0.late / 1024) KiB" } ?? "too few samples"
            ),
            ("descriptors first, last, max", Self.row(descriptors) { "\($0)" }),
            ("watches first, last, max", Self.row(watches) { "\($0)" }),
            ("directories written to, same moments", Self.row(load.directories) { "\($0)" }),
        ]
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { label, text in
            label + String(repeating: " ", count: width - label.count) + "  " + text
        }.joined(separator: "\n")
    }

    private static func row<Value: Comparable>(_ values: [Value], _ text: (Value) -> String) -> String {
        guard let first = values.first, let last = values.last, let largest = values.max() else { return "-" }
        return [first, last, largest].map(text).joined(separator: ", ")
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
