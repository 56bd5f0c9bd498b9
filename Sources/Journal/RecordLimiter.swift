/// Decides which records are written when too many of one kind come.
///
/// journald drops what a service writes beyond 10000 entries in 30 s, without regard to what it is. This
/// bound is lower and for each kind alone, so that a flood of one kind hides no other. Alerts always pass.
///
/// It asks no clock: times are nanoseconds of one that only goes forward.
public struct RecordLimiter: Sendable {
    /// How many records of a kind pass within one interval.
    public let limit: Int
    /// The length of an interval, in nanoseconds; it starts with the first record of a kind.
    public let interval: Int64

    private struct Window {
        var end: Int64
        var passed = 0
    }

    private struct Suppressed {
        var due: Int64
        var count = 0
    }

    private var windows: [RecordKind?: Window] = [:]
    private var suppressed: [RecordKind?: Suppressed] = [:]

    public init(limit: Int = 300, interval: Int64 = 30_000_000_000) {
        self.limit = limit
        self.interval = interval
    }

    /// Whether a record of the kind is to be written now; records of no kind count together.
    public mutating func admits(_ kind: RecordKind?, at uptime: Int64) -> Bool {
        if kind?.isAlert == true { return true }
        var window = windows[kind] ?? Window(end: end(after: uptime))
        if uptime >= window.end { window = Window(end: end(after: uptime)) }
        defer { windows[kind] = window }
        if window.passed < limit {
            window.passed += 1
            return true
        }
        suppressed[kind, default: Suppressed(due: window.end)].count += 1
        return false
    }

    /// How many records of which kinds were held back in intervals that are over, each told once.
    public mutating func takeSuppressed(at uptime: Int64) -> [(kind: RecordKind?, count: Int)] {
        let due = suppressed.filter { $0.value.due <= uptime }
        for kind in due.keys { suppressed[kind] = nil }
        return due.map { (kind: $0.key, count: $0.value.count) }
            .sorted { ($0.kind?.rawValue ?? "") < ($1.kind?.rawValue ?? "") }
    }

    /// When ``takeSuppressed(at:)`` has something next.
    public var nextDue: Int64? {
        suppressed.values.map(\.due).min()
    }

    private func end(after uptime: Int64) -> Int64 {
        let (end, overflow) = uptime.addingReportingOverflow(interval)
        return overflow ? .max : end
    }
}
