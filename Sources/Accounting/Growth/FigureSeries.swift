/// One figure over time: a value and the moments at which it changed, thinned with age.
///
/// Of the changes within one interval of the resolution the last stays, so that the value at the end of each
/// interval is right; asked for a moment within one, the answer is right for some moment of that interval.
struct FigureSeries: Hashable, Sendable {
    struct Point: Hashable, Sendable {
        /// Monotonic, nanoseconds.
        var time: Int64
        var bytes: Int64
    }

    /// Never empty, in the order of time; the first stands for all time before it.
    private(set) var points: [Point]
    private var pointsWhenThinned = 1

    /// Points that may gather before the series is thinned again.
    private static let slack = 64

    init(bytes: Int64, time: Int64) {
        points = [Point(time: time, bytes: bytes)]
    }

    /// The value now.
    var latest: Int64 {
        points.last?.bytes ?? 0
    }

    var start: Int64 {
        points.first?.time ?? 0
    }

    /// Takes the value at a moment; moments must not go back, and one that does counts as the last.
    mutating func record(_ bytes: Int64, time: Int64, _ bands: AgeBands) {
        guard let last = points.last, bytes != last.bytes else { return }
        let point = Point(time: max(time, last.time), bytes: bytes)
        // The first stays: it is the baseline.
        if points.count > 1, last.time.dividedUp(by: bands.finest) == point.time.dividedUp(by: bands.finest) {
            points[points.count - 1] = point
        } else {
            points.append(point)
        }
        if points.count > pointsWhenThinned + Self.slack { thin(now: point.time, bands) }
    }

    /// The value at a moment.
    func value(at time: Int64) -> Int64 {
        let index = firstIndex(after: time)
        return points[max(0, index - 1)].bytes
    }

    /// The first change after a moment.
    func change(after time: Int64) -> Int64? {
        // Before the first point the value was the same.
        let index = max(1, firstIndex(after: time))
        return index < points.count ? points[index].time : nil
    }

    /// By how much the value changed in the window that ends at `time`.
    func growth(within window: Int64, time: Int64) -> Int64 {
        value(at: time).subtractingClamped(value(at: time.subtractingClamped(window)))
    }

    mutating func thin(now: Int64, _ bands: AgeBands) {
        let oldest = now.subtractingClamped(bands.retention)
        let remembered = points[max(0, firstIndex(after: oldest) - 1)...]
        var kept: [Point] = []
        kept.reserveCapacity(remembered.count)
        for point in remembered {
            let resolution = bands.resolution(ofAge: now.subtractingClamped(point.time))
            if kept.count > 1, let last = kept.last,
                last.time.dividedUp(by: resolution) == point.time.dividedUp(by: resolution)
            {
                kept[kept.count - 1] = point
            } else {
                kept.append(point)
            }
        }
        points = kept
        pointsWhenThinned = kept.count
    }

    private func firstIndex(after time: Int64) -> Int {
        var low = 0
        var high = points.count
        while low < high {
            let middle = (low + high) / 2
            if points[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension FigureSeries {
    /// A series from points of an earlier run; `nil` when there is none.
    init?(_ points: [Point], now: Int64, _ bands: AgeBands) {
        // A clock that was set back must not leave points in the future.
        let sorted = points.map { Point(time: min($0.time, now), bytes: $0.bytes) }
            .sorted { $0.time < $1.time }
        guard let first = sorted.first else { return nil }
        self.init(bytes: first.bytes, time: first.time)
        for point in sorted.dropFirst() { record(point.bytes, time: point.time, bands) }
        thin(now: now, bands)
    }
}
