/// How much a set of distinct inodes takes, in both measures.
public struct Measure: Hashable, Sendable {
    /// Allocated bytes: `st_blocks` times 512 over distinct inodes, directories included; what `df` loses.
    public var diskBytes: Int64
    /// Apparent bytes: `st_size` over distinct inodes that are not directories; what Docker calls size.
    public var sizeBytes: Int64
    /// Distinct inodes, directories included.
    public var inodes: Int64

    public static let zero = Measure(diskBytes: 0, sizeBytes: 0, inodes: 0)

    public init(diskBytes: Int64, sizeBytes: Int64, inodes: Int64) {
        self.diskBytes = diskBytes
        self.sizeBytes = sizeBytes
        self.inodes = inodes
    }

    /// The sum; it stops at what a signed 64-bit number holds, for a container can make sparse files whose
    /// apparent sizes add up to more.
    public static func + (left: Measure, right: Measure) -> Measure {
        Measure(
            diskBytes: left.diskBytes.addingClamped(right.diskBytes),
            sizeBytes: left.sizeBytes.addingClamped(right.sizeBytes),
            inodes: left.inodes.addingClamped(right.inodes))
    }

    public static func - (left: Measure, right: Measure) -> Measure {
        Measure(
            diskBytes: left.diskBytes.subtractingClamped(right.diskBytes),
            sizeBytes: left.sizeBytes.subtractingClamped(right.sizeBytes),
            inodes: left.inodes.subtractingClamped(right.inodes))
    }

    public static func += (left: inout Measure, right: Measure) {
        left = left + right
    }

    public static func -= (left: inout Measure, right: Measure) {
        left = left - right
    }
}

extension Int64 {
    /// The sum, or the nearest end of the range.
    public func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the nearest end of the range.
    public func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}

extension Sequence where Element == Measure {
    /// The sum of all elements.
    public func sum() -> Measure {
        reduce(.zero, +)
    }
}
