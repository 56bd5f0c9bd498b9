import Foundation

/// How a cost grows with the size of what it is the cost of.
enum GrowthFit {
    /// The exponent of the power of size that fits best: 0 where it does not grow, 1 where it is linear.
    static func exponent(_ points: [(size: Double, cost: Double)]) -> Double {
        let logs = points.filter { $0.size > 0 && $0.cost > 0 }.map { (x: log($0.size), y: log($0.cost)) }
        let count = Double(logs.count)
        let meanX = logs.map(\.x).reduce(0, +) / count
        let meanY = logs.map(\.y).reduce(0, +) / count
        let spread = logs.map { ($0.x - meanX) * ($0.x - meanX) }.reduce(0, +)
        return logs.map { ($0.x - meanX) * ($0.y - meanY) }.reduce(0, +) / spread
    }
}
