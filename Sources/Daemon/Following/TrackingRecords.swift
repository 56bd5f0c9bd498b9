internal import Accounting
internal import Journal
internal import Logging
internal import Tracking

/// The journal's records of what audits found.
struct TrackingRecords: Sendable {
    let logger: Logger

    func tell(_ report: LayerReport) {
        if let correction = report.correction {
            let bytes = correction.diskBytes
            logger.record(
                .auditCorrection, .warning,
                """
                \(report.directory): an audit found what no event had told: \
                \(difference(bytes)) on the disk, \(difference(correction.sizeBytes)) of apparent size, \
                \(difference(correction.inodes, "files"))
                """,
                metadata: ["path": "\(report.directory)", "difference_bytes": "\(bytes)"])
        }
        if let distrust = report.distrust {
            logger.record(
                .polling, .warning, "\(report.directory): \(distrust)",
                metadata: ["path": "\(report.directory)", "reason": "\(distrust)"])
        }
    }

    private func difference(_ amount: Int64, _ unit: String = "bytes") -> String {
        "\(amount.magnitude) \(unit) \(amount < 0 ? "less" : "more")"
    }
}
