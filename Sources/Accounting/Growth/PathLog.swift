/// Which paths of one container grew, in slots of time that widen with age.
///
/// A slot holds few paths: the smallest changes are added up in their directory, which is then written with a
/// trailing `/`, so that many small files show as the directory that they fill.
struct PathLog: Hashable, Sendable {
    private struct Slot: Hashable, Sendable {
        /// Monotonic, nanoseconds; a multiple of `length`.
        var start: Int64
        var length: Int64
        var bytes: [String: Int64]

        var end: Int64 { start.addingClamped(length) }
    }

    /// In the order of time.
    private var slots: [Slot] = []

    /// Paths of the slot that is being filled, and of one that is complete.
    private static let openLimit = 256
    private static let closedLimit = 32
    /// Bytes of UTF-8; a longer path counts for the directory above that is short enough.
    static let pathLimit = 1024

    /// When it last took something.
    var lastTime: Int64 {
        slots.last?.end ?? .min
    }

    var pathCount: Int {
        slots.reduce(0) { $0 + $1.bytes.count }
    }

    mutating func note(_ paths: [PathGrowth], time: Int64, _ bands: AgeBands) {
        let start = max(time.roundedDown(to: bands.finest), slots.last?.start ?? .min)
        if slots.last?.start != start {
            close(now: time, bands)
            slots.append(Slot(start: start, length: bands.finest, bytes: [:]))
        }
        let index = slots.count - 1
        for path in paths where path.diskBytes != 0 {
            let key = Self.bounded(path.path)
            slots[index].bytes[key] = (slots[index].bytes[key] ?? 0).addingClamped(path.diskBytes)
            if slots[index].bytes.count > Self.openLimit {
                slots[index].bytes = Self.folded(slots[index].bytes, to: Self.openLimit / 2)
            }
        }
    }

    /// What grew since a moment, the most first; a slot in which the moment lies counts as a whole.
    func top(since time: Int64, limit: Int) -> [PathGrowth] {
        var sums: [String: Int64] = [:]
        for slot in slots where slot.end > time {
            sums.merge(slot.bytes) { $0.addingClamped($1) }
        }
        let grown = sums.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return grown.prefix(max(0, limit)).map { PathGrowth(path: $0.key, diskBytes: $0.value) }
    }

    private mutating func close(now: Int64, _ bands: AgeBands) {
        let oldest = now.subtractingClamped(bands.retention)
        var kept: [Slot] = []
        for var slot in slots where slot.end > oldest {
            slot.length = max(slot.length, bands.resolution(ofAge: now.subtractingClamped(slot.end)))
            slot.start = slot.start.roundedDown(to: slot.length)
            if let last = kept.last, last.start == slot.start {
                kept[kept.count - 1].bytes.merge(slot.bytes) { $0.addingClamped($1) }
                kept[kept.count - 1].length = max(last.length, slot.length)
            } else {
                kept.append(slot)
            }
        }
        for index in kept.indices where kept[index].bytes.count > Self.closedLimit {
            kept[index].bytes = Self.folded(kept[index].bytes, to: Self.closedLimit)
        }
        slots = kept
    }

    /// The same sum in at most `limit` paths.
    private static func folded(_ bytes: [String: Int64], to limit: Int) -> [String: Int64] {
        var bytes = bytes
        // Each pass takes a component off the small ones; past this depth they count for the root.
        for pass in 0..<16 where bytes.count > limit {
            let order = bytes.sorted { ($1.value.magnitude, $0.key) < ($0.value.magnitude, $1.key) }
            for entry in order.dropFirst(limit / 2) {
                let directory = pass < 15 ? directory(of: entry.key) : "/"
                // It may have taken in others meanwhile.
                guard directory != entry.key, let sum = bytes.removeValue(forKey: entry.key) else { continue }
                bytes[directory] = (bytes[directory] ?? 0).addingClamped(sum)
            }
        }
        return bytes
    }

    /// The directory above, with a trailing `/`.
    private static func directory(of path: String) -> String {
        let bytes = path.utf8.dropLast(path.utf8.last == UInt8(ascii: "/") ? 1 : 0)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "/" }
        return String(path[...slash])
    }

    private static func bounded(_ path: String) -> String {
        guard path.utf8.count > pathLimit else { return path }
        guard let slash = path.utf8.prefix(pathLimit).lastIndex(of: UInt8(ascii: "/")) else { return "/" }
        return String(path[...slash])
    }
}
