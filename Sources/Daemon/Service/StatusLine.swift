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
            "\(totals.containers.count) containers \(size(totals.containers.measure.diskBytes)), "
            + "\(totals.imageLayers.count) image layers \(size(totals.imageLayers.measure.diskBytes))"
        if measured < total { return "\(sums); measured \(measured) of \(total) layers" }
        let trouble = snapshot.sources.filter { $0.confidence.isTrouble }.map {
            "\($0.store.root) is \($0.confidence.word)"
        }
        return trouble.isEmpty ? sums : "\(sums); \(trouble.joined(separator: ", "))"
    }

    /// Decimal units, one digit: enough to see, and calm enough not to change with every write.
    private static func size(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["B", "kB", "MB", "GB", "TB"] {
            if value < 999.95 || unit == "TB" {
                let tenths = Int64((value * 10).rounded())
                return unit == "B" ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(unit)"
            }
            value /= 1000
        }
        return "\(bytes) B"
    }
}
