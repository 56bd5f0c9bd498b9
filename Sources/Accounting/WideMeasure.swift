/// A sum of measures that is right whatever is added and taken away, in whatever order.
///
/// ``Measure`` stops at the end of its range, so that what was added beyond could not be taken away again.
struct WideMeasure: Hashable, Sendable {
    private var diskBytes: Int128 = 0
    private var sizeBytes: Int128 = 0
    private var inodes: Int128 = 0

    static func += (left: inout WideMeasure, right: Measure) {
        left.diskBytes += Int128(right.diskBytes)
        left.sizeBytes += Int128(right.sizeBytes)
        left.inodes += Int128(right.inodes)
    }

    static func -= (left: inout WideMeasure, right: Measure) {
        left.diskBytes -= Int128(right.diskBytes)
        left.sizeBytes -= Int128(right.sizeBytes)
        left.inodes -= Int128(right.inodes)
    }

    static func += (left: inout WideMeasure, right: WideMeasure) {
        left.diskBytes += right.diskBytes
        left.sizeBytes += right.sizeBytes
        left.inodes += right.inodes
    }

    /// The sum, or the nearest that a measure holds.
    var measure: Measure {
        Measure(
            diskBytes: Int64(clamping: diskBytes), sizeBytes: Int64(clamping: sizeBytes),
            inodes: Int64(clamping: inodes))
    }
}
