/// Figures of writable layers over time, bounded per container and in containers.
///
/// Growth is in allocated bytes. The past is thinned with age: a window of up to two minutes is right to the
/// second, one of an hour to 15 seconds, one of a day to 5 minutes; where it is off, it is longer than asked.
public struct GrowthBook: Sendable {
    struct Entry: Sendable {
        var series: FigureSeries
        /// Since when no snapshot has the container; monotonic.
        var missingSince: Int64?
        /// It comes from an earlier run, and no snapshot had it yet.
        var isRestored = false

        /// Takes a figure, or that there is none now, of a container that is there; returns whether it is another one.
        fileprivate mutating func take(_ bytes: Int64?, time: Int64, _ bands: AgeBands) -> Bool {
            missingSince = nil
            isRestored = false
            guard let bytes, bytes != series.latest else { return false }
            series.record(bytes, time: time, bands)
            return true
        }
    }

    let bands: AgeBands
    private let pathBands: AgeBands
    var entries: [ContainerKey: Entry] = [:]
    /// Rises with each change of what ``saved(at:)`` gives, other than by age.
    public private(set) var version: UInt64 = 0
    private var paths: [ContainerKey: PathLog] = [:]
    /// The snapshot that was observed last: of the next, only what changed since is looked at.
    ///
    /// Without one, all is.
    var observed: UsageSnapshot?
    /// Containers with a figure that it does not have.
    private var absent: Set<ContainerKey> = []
    /// Containers with paths that had no figure when these were noted.
    private var withPathsAlone: Set<ContainerKey> = []

    /// Containers whose paths are kept; past it, the one that was longest quiet goes.
    private static let pathLogLimit = 1024
    /// How long a container may be absent from snapshots: its metadata may be half-written for a moment, and
    /// after a restart its store may not be read yet.
    private static let absence: Int64 = 10_000_000_000
    private static let absenceAfterRestart: Int64 = 600_000_000_000

    /// How many containers have figures.
    public var count: Int { entries.count }

    /// - Parameter retentionSeconds: The longest window that will be asked for.
    public init(retentionSeconds: Double = 86_400) {
        bands = .figures(retentionSeconds: retentionSeconds)
        pathBands = .paths(retentionSeconds: retentionSeconds)
    }

    /// Takes every container's figure at a moment; containers that are gone are dropped.
    ///
    /// The first figure of a container is its baseline, not growth. A converging figure counts, for a container
    /// can keep its own converging; one that is stale or damaged, or of a layer that nobody looked at yet, is
    /// skipped. It costs what changed since the last call, not what there is.
    public mutating func observe(_ snapshot: UsageSnapshot, at moment: Moment) {
        let changes = snapshot.containerChanges(since: observed)
        observed = snapshot
        for place in changes.places {
            let container = snapshot.container(at: place)
            let bytes = container.isFigureCurrent ? container.writable.diskBytes : nil
            if let isNew = entries[container.key]?.take(bytes, time: moment.uptime, bands) {
                if isNew { version += 1 }
            } else if let bytes {
                entries[container.key] = Entry(series: FigureSeries(bytes: bytes, time: moment.uptime))
                version += 1
            }
        }
        if changes.haveComeOrGone {
            absent = Set(entries.keys.lazy.filter { snapshot.place(of: $0) == nil })
        }
        dropAbsent(at: moment)
        for key in withPathsAlone {
            let isThere = snapshot.place(of: key) != nil
            guard entries[key] != nil || !isThere else { continue }
            withPathsAlone.remove(key)
            if entries[key] == nil { paths[key] = nil }
        }
    }

    private mutating func dropAbsent(at moment: Moment) {
        for key in absent {
            guard let entry = entries[key] else { continue }
            let since = entry.missingSince ?? moment.uptime
            entries[key]?.missingSince = since
            let patience = entry.isRestored ? Self.absenceAfterRestart : Self.absence
            if moment.uptime.subtractingClamped(since) >= patience {
                entries[key] = nil
                paths[key] = nil
                absent.remove(key)
                version += 1
            }
        }
    }

    /// By how many allocated bytes a container grew in the window that ends at a moment; negative for less.
    ///
    /// Where its first figure is younger than the window, since that; 0 for a container without a figure.
    public func growth(of container: ContainerKey, withinSeconds seconds: Double, at moment: Moment) -> Int64
    {
        entries[container]?.series.growth(within: Self.nanoseconds(seconds), time: moment.uptime) ?? 0
    }

    /// The growth of the last minute, hour and day.
    public func growth(of container: ContainerKey, at moment: Moment) -> (
        minute: Int64, hour: Int64, day: Int64
    ) {
        (
            growth(of: container, withinSeconds: 60, at: moment),
            growth(of: container, withinSeconds: 3600, at: moment),
            growth(of: container, withinSeconds: 86_400, at: moment)
        )
    }

    /// How many seconds a container's figures go back; `nil` for one without a figure.
    public func reach(of container: ContainerKey, at moment: Moment) -> Double? {
        entries[container].map { Double(moment.uptime.subtractingClamped($0.series.start)) / 1e9 }
    }

    /// When the growth in a window changes next though no figure does, because a change leaves the window;
    /// monotonic nanoseconds.
    public func nextChange(of container: ContainerKey, withinSeconds seconds: Double, at moment: Moment)
        -> Int64?
    {
        let window = Self.nanoseconds(seconds)
        let start = moment.uptime.subtractingClamped(window)
        return entries[container]?.series.change(after: start).map { $0.addingClamped(window) }
    }

    /// Takes by how much paths of a container changed.
    public mutating func note(_ changes: [PathGrowth], of container: ContainerKey, at moment: Moment) {
        guard !changes.isEmpty else { return }
        if paths[container] == nil, paths.count >= Self.pathLogLimit,
            let quiet = paths.min(by: { $0.value.lastTime < $1.value.lastTime })
        {
            paths[quiet.key] = nil
        }
        if entries[container] == nil { withPathsAlone.insert(container) }
        paths[container, default: PathLog()].note(changes, time: moment.uptime, pathBands)
    }

    /// The paths of a container that grew the most within a window, the most first.
    ///
    /// A path that ends with `/` stands for what is below that directory and not named itself.
    public func top(
        of container: ContainerKey, withinSeconds seconds: Double, at moment: Moment, limit: Int = 5
    ) -> [PathGrowth] {
        let start = moment.uptime.subtractingClamped(Self.nanoseconds(seconds))
        return paths[container]?.top(since: start, limit: limit) ?? []
    }

    private static func nanoseconds(_ seconds: Double) -> Int64 {
        // NaN counts as none.
        guard seconds > 0 else { return 0 }
        return seconds < 9e9 ? Int64(seconds * 1e9) : .max
    }
}

extension ContainerUsage {
    /// Whether the figure is what is there, at least roughly.
    var isFigureCurrent: Bool {
        switch confidence {
        case .exact, .polling: true
        case .converging: isMeasured
        case .stale, .damaged: false
        }
    }

    /// Whether the figure is right, now or at the last poll.
    var isFigureRight: Bool {
        isFigureCurrent && confidence != .converging
    }
}
