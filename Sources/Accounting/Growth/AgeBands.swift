/// How finely the past is kept: the older, the coarser.
///
/// Each resolution divides the next one, so that what was thinned to one can be thinned to the next.
struct AgeBands: Hashable, Sendable {
    struct Band: Hashable, Sendable {
        /// Up to this age, nanoseconds.
        var age: Int64
        /// Nanoseconds.
        var resolution: Int64
    }

    private(set) var bands: [Band]
    /// What is older is not kept, nanoseconds.
    let retention: Int64

    private static let second: Int64 = 1_000_000_000

    /// Figures: each second for two minutes, each 15 seconds for an hour, then each 5 minutes of a day; the
    /// last grows with `retention`, so that the number of samples stays below 1000.
    static func figures(retentionSeconds: Double) -> AgeBands {
        let retention = Int64(max(60, min(retentionSeconds, 366 * 86_400)).rounded(.up))
        let days = (retention + 86_399) / 86_400
        return AgeBands(
            bands: [
                Band(age: 120 * second, resolution: second),
                Band(age: 3600 * second, resolution: 15 * second),
                Band(age: .max, resolution: 300 * days * second),
            ], retention: retention * second)
    }

    /// Paths: 10 seconds for two minutes, 5 minutes for an hour, then hours.
    static func paths(retentionSeconds: Double) -> AgeBands {
        var result = figures(retentionSeconds: retentionSeconds)
        let days = (result.retention / second + 86_399) / 86_400
        result.bands = [
            Band(age: 120 * second, resolution: 10 * second),
            Band(age: 3600 * second, resolution: 300 * second),
            Band(age: .max, resolution: 3600 * days * second),
        ]
        return result
    }

    func resolution(ofAge age: Int64) -> Int64 {
        bands.first { age <= $0.age }?.resolution ?? Self.second
    }

    /// The finest resolution.
    var finest: Int64 {
        bands.first?.resolution ?? Self.second
    }
}

extension Int64 {
    /// The quotient rounded up.
    func dividedUp(by divisor: Int64) -> Int64 {
        self / divisor + (self % divisor > 0 ? 1 : 0)
    }

    /// The greatest multiple of `divisor` that is not above.
    func roundedDown(to divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return subtractingClamped(remainder < 0 ? remainder + divisor : remainder)
    }
}
