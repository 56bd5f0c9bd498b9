import UsageTestKit

/// What a figure is counted in, and how it is written.
enum Unit: String, Codable, Sendable {
    case ratio, milliseconds, microseconds, percent, bytes, megabytes, count, perSecond, exponent

    func text(_ value: Double) -> String {
        switch self {
        case .ratio, .exponent: value.text(digits: value < 0.1 ? 3 : 2)
        case .milliseconds: "\(value.text(digits: value < 100 ? 1 : 0)) ms"
        case .microseconds: "\(value.text(digits: 2)) µs"
        case .percent: "\(value.text(digits: value < 1 ? 3 : 1)) %"
        case .bytes: "\(value.text(digits: 0)) bytes"
        case .megabytes: "\(value.text(digits: 1)) MB"
        case .count: value.text(digits: value < 100 ? 2 : 0)
        case .perSecond: "\(value.text(digits: 1)) a second"
        }
    }
}

/// One measured value beside the most that it should be.
struct Figure: Codable, Sendable {
    /// What it is called in the file of ratios; stable, so that runs can be compared.
    var name: String
    /// What was measured, in words.
    var measure: String
    var value: Double
    var unit: Unit
    /// The most that it should be; `nil` for one that is reported alone.
    var goal: Double?
    /// What it was made of, such as both times of a ratio.
    var detail: String = ""

    /// Whether the goal is reached; `nil` where there is none.
    var isMet: Bool? { goal.map { value <= $0 } }
}

extension Double {
    /// The number with so many digits behind the point.
    func text(digits: Int) -> String {
        guard isFinite else { return "–" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((magnitude * scale).rounded())
        let (whole, rest) = scaled.quotientAndRemainder(dividingBy: Int64(scale))
        let sign = self < 0 && scaled != 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let fraction = String(rest)
        return "\(sign)\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}

/// Values of one measure over several runs.
struct Samples {
    private(set) var values: [Double] = []

    mutating func add(_ value: Double) { values.append(value) }

    var median: Double { percentile(0.5) }
    var least: Double { values.min() ?? .nan }

    /// The smallest value that so large a share of all is not above, by nearest rank.
    func percentile(_ share: Double) -> Double { values.percentile(share) ?? .nan }
}

extension Duration {
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}
