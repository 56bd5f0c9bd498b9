internal import Accounting

/// The line that `systemctl status` shows.
enum StatusLine {
    /// The line, with the first thing that is wrong with the configuration in front of the figures.
    static func text(_ snapshot: UsageSnapshot, isRead: Bool, problem: String? = nil) -> String {
        let figures = figures(snapshot, isRead: isRead)
        return problem.map { "\(refusal($0)); \(figures)" } ?? figures
    }

    /// That a configuration was not taken, and the first of the issues why, one a line.
    static func refusal(_ problem: String) -> String {
        let issues = problem.split(separator: "\n")
        let more = issues.count > 1 ? " and \(issues.count - 1) more" : ""
        return "The configuration is wrong, the old one stays: \(issues.first ?? "")\(more)"
    }

    private static func figures(_ snapshot: UsageSnapshot, isRead: Bool) -> String {
        guard isRead else { return "Reading the stores" }
        guard !snapshot.sources.isEmpty else { return "No store found on this host" }
        let measured = snapshot.sources.map(\.layersMeasured).reduce(0, +)
        let total = snapshot.sources.map(\.layersTotal).reduce(0, +)
        let totals = snapshot.totals
        let sums =
            "\(totals.containers.count) containers \(SizeText.decimal(totals.containers.measure.diskBytes)), "
            + "\(totals.imageLayers.count) image layers \(SizeText.decimal(totals.imageLayers.measure.diskBytes))"
        if measured < total { return "\(sums); measured \(measured) of \(total) layers" }
        let trouble = snapshot.sources.filter { $0.confidence.isTrouble }.map {
            "\($0.store.root) is \($0.confidence.word)"
        }
        return trouble.isEmpty ? sums : "\(sums); \(trouble.joined(separator: ", "))"
    }
}
