internal import Accounting

/// The books at some moments of the last day: each minute of ten, each ten minutes of two hours, each hour before.
///
/// It is bounded in moments and in entries, whatever number of layers a host has.
struct MarkHistory {
    private struct Entry {
        var uptime: Int64
        var version: UInt64
        var mark: Mark
    }

    private static let second: Int64 = 1_000_000_000
    private static let spacing = 60 * second
    private static let retention = 25 * 3600 * second
    /// Layers and containers over all moments.
    private static let weightLimit = 400_000

    /// In the order of time.
    private var entries: [Entry] = []

    var count: Int { entries.count }

    func isDue(at moment: Moment) -> Bool {
        guard let last = entries.last else { return true }
        return moment.uptime - last.uptime >= Self.spacing
    }

    /// Takes the books of a moment; `isExact` says whether every change up to it is in them.
    mutating func note(
        _ snapshot: UsageSnapshot, at moment: Moment, isExact: Bool, usedBytes: [String: Int64]
    ) {
        guard isDue(at: moment) else { return }
        let mark: Mark
        if let last = entries.last, last.version == snapshot.version {
            // The same books share their memory, and cost nothing while nothing changes.
            mark = Mark(
                wall: moment.wall, isExact: isExact, layers: last.mark.layers,
                containers: last.mark.containers, usedBytes: usedBytes)
        } else {
            mark = Mark(snapshot, wall: moment.wall, isExact: isExact, usedBytes: usedBytes)
        }
        entries.append(Entry(uptime: moment.uptime, version: snapshot.version, mark: mark))
        thin(now: moment.uptime)
    }

    /// The latest books that are at least so old, else the oldest there are.
    func mark(secondsAgo seconds: Double, at moment: Moment) -> Mark? {
        let then = moment.uptime - Int64(min(seconds, 1e9) * 1e9)
        return (entries.last { $0.uptime <= then } ?? entries.first)?.mark
    }

    private mutating func thin(now: Int64) {
        var kept: [Entry] = []
        for entry in entries {
            let age = now - entry.uptime
            guard age <= Self.retention else { continue }
            let step: Int64 =
                age < 600 * Self.second ? 0 : (age < 7200 * Self.second ? 600 : 3600) * Self.second
            if step > 0, let last = kept.last, entry.uptime / step == last.uptime / step { continue }
            kept.append(entry)
        }
        entries = kept
        while entries.count > 1, weight > Self.weightLimit { entries.removeFirst() }
    }

    private var weight: Int {
        var version: UInt64?
        var sum = 0
        for entry in entries where entry.version != version {
            version = entry.version
            sum += entry.mark.layers.count + entry.mark.containers.count
        }
        return sum
    }
}
