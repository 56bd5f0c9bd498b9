/// Which of several holders is charged for each range of a file system's space: the first in their order.
struct ExtentClaims {
    /// A range that one holder has; a holder has it twice where two of its files share it.
    private struct Range {
        var start: UInt64
        var end: UInt64
        var holder: Int
        var isEncoded: Bool
    }

    /// What is remembered at most, 32 bytes each.
    static let limit = 1_000_000

    private var ranges: [Range] = []
    /// There were more shared extents than are remembered.
    private(set) var isIncomplete = false

    mutating func add(_ start: UInt64, length: UInt64, isEncoded: Bool, to holder: Int) {
        let (end, overflow) = start.addingReportingOverflow(length)
        guard length > 0, !overflow else { return }
        guard ranges.count < Self.limit else {
            isIncomplete = true
            return
        }
        ranges.append(Range(start: start, end: end, holder: holder, isEncoded: isEncoded))
    }

    /// For each holder, how many of its bytes are charged to another, or to another file of its own.
    func chargedElsewhere(holders: Int) -> [Int64] {
        var elsewhere = [Int64](repeating: 0, count: holders)
        let ordered = ranges.enumerated().sorted {
            ($0.element.holder, $0.offset) < ($1.element.holder, $1.offset)
        }
        // Ranges of compressed extents do not tell what overlaps: the same beginning is the same extent.
        var encoded: Set<UInt64> = []
        let plain = ranges.filter { !$0.isEncoded }
        let bounds = Set(plain.map(\.start) + plain.map(\.end)).sorted()
        var isTaken = [Bool](repeating: false, count: bounds.count)
        for (_, range) in ordered {
            if range.isEncoded {
                if !encoded.insert(range.start).inserted {
                    elsewhere[range.holder] += Int64(clamping: range.end - range.start)
                }
                continue
            }
            var index = Self.index(of: range.start, in: bounds)
            while index < bounds.count, bounds[index] < range.end {
                let length = bounds[index + 1] - bounds[index]
                if isTaken[index] { elsewhere[range.holder] += Int64(clamping: length) }
                isTaken[index] = true
                index += 1
            }
        }
        return elsewhere
    }

    private static func index(of bound: UInt64, in bounds: [UInt64]) -> Int {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
