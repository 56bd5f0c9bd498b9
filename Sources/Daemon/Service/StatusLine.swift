internal import Accounting

/// The line that `systemctl status` shows.
enum StatusLine {
    static func text(_ snapshot: UsageSnapshot, isRead: Bool) -> String {
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
