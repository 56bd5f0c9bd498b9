/// A point in time by two clocks.
///
/// One only goes forward, for windows and delays; the wall clock is for people. Pure code is given moments and
/// never asks a clock.
public struct Moment: Hashable, Sendable {
    /// Nanoseconds of a monotonic clock.
    public var uptime: Int64
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var wall: Int64

    public init(uptime: Int64, wall: Int64) {
        self.uptime = uptime
        self.wall = wall
    }

    /// Seconds on the monotonic clock from `earlier` to this moment.
    public func seconds(since earlier: Moment) -> Double {
        Double(uptime.subtractingClamped(earlier.uptime)) / 1e9
    }

    /// The moment that many seconds later by both clocks.
    public func advanced(bySeconds seconds: Double) -> Moment {
        let nanoseconds = Int64(seconds * 1e9)
        return Moment(uptime: uptime.addingClamped(nanoseconds), wall: wall.addingClamped(nanoseconds))
    }
}
