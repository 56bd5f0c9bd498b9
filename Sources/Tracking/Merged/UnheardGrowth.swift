internal import Accounting

/// Decides from its regular audits whether what an overlay's upper directory tells can be relied on.
///
/// The rule: two audits in a row that find growth which no event told end the trust. One alone may be a store to a
/// memory map, which has no event anywhere.
struct UnheardGrowth {
    private var audits = 0

    /// Takes what an audit corrected; returns why trust ends, if it does.
    mutating func reasonToDistrust(after correction: Measure?) -> String? {
        let isGrowth = correction.map { $0.diskBytes > 0 || $0.sizeBytes > 0 } ?? false
        audits = isGrowth ? audits + 1 : 0
        guard audits >= 2 else { return nil }
        return """
            two audits in a row found growth that no event had told, so data written through overlayfs counts as not told
            """
    }
}
