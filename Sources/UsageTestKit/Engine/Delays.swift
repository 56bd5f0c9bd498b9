/// Measured delays and what a reader wants to know of them.
public struct Delays: Sendable, CustomStringConvertible {
    private var values: [Duration] = []

    public init() {}

    public mutating func add(_ delay: Duration) {
        values.append(delay)
    }

    /// The smallest delay that so large a share of all is not above, by nearest rank.
    public func percentile(_ share: Double) -> Duration {
        values.percentile(share) ?? .zero
    }

    public var description: String {
        func text(_ delay: Duration) -> String {
            delay.formattedMilliseconds
        }
        return """
            \(values.count) writes, median \(text(percentile(0.5))), p99 \(text(percentile(0.99))), \
            longest \(text(percentile(1)))
            """
    }
}

extension Array where Element: Comparable {
    /// The smallest element that so large a share of all is not above, by nearest rank; `nil` of none.
    public func percentile(_ share: Double) -> Element? {
        guard !isEmpty else { return nil }
        let rank = Int((share * Double(count)).rounded(.up))
        return sorted()[Swift.min(Swift.max(rank, 1), count) - 1]
    }
}

extension Duration {
    /// Milliseconds with one digit behind the point.
    fileprivate var formattedMilliseconds: String {
        let tenths = components.seconds * 10_000 + components.attoseconds / 100_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }
}
