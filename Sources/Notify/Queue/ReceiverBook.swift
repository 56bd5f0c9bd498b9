internal import Wire

/// What one receiver was told, and what it is still to be told.
///
/// Every change is a ``BookEntry``: the same entries make the same book again. Both the queue and what is known are
/// bounded, whatever comes.
public struct ReceiverBook: Sendable {
    public struct Limits: Hashable, Sendable {
        public var notices = 10_000
        public var bytes = 8 << 20
        /// Alerts that are known at once.
        public var known = 20_000

        public init() {}
    }

    struct Known: Hashable, Sendable {
        /// Without paths.
        var notice: Notice
        /// Whether the receiver was told of it, or will be.
        var isTold: Bool
        /// When this state was delivered last, seconds since the epoch.
        var deliveredAt: Int64?
        /// Rises with each change of any.
        var order: Int64
    }

    /// Resolved alerts that are remembered however many are known: the daemon lists 100.
    private static let resolvedKept = 256

    let limits: Limits
    private(set) var queue = NoticeQueue()
    private(set) var known: [AlertKey: Known] = [:]
    /// Whether it was compared with a whole list before.
    private(set) var hasLooked = false
    private var nextNumber: Int64 = 1
    private var nextOrder: Int64 = 1

    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    public var waiting: Int { queue.count }

    // MARK: Changes

    /// Takes an entry up; `size` is what it takes in the file.
    mutating func apply(_ entry: BookEntry, size: Int) {
        switch entry {
        case .queued(let number, let notice):
            queue.append(NoticeQueue.Item(number: number, notice: notice, size: size))
            nextNumber = max(nextNumber, number + 1)
            know(notice, isTold: true)
        case .known(let notice, let isTold, let deliveredAt):
            know(notice, isTold: isTold, deliveredAt: deliveredAt)
        case .delivered(let numbers, let time):
            for number in numbers {
                guard let item = queue.remove(number) else { continue }
                let key = item.notice.key
                if known[key]?.notice.alert.isSameTransition(as: item.notice.alert) == true {
                    known[key]?.deliveredAt = time
                }
            }
        case .repeated(let keys, let time):
            for key in keys { known[key]?.deliveredAt = time }
        case .dropped(let numbers):
            for number in numbers { queue.remove(number) }
        case .looked:
            hasLooked = true
        case .forgotten(let keys):
            for key in keys { known[key] = nil }
        }
    }

    private mutating func know(_ notice: Notice, isTold: Bool, deliveredAt: Int64? = nil) {
        var lean = notice
        lean.alert.top = []
        known[notice.key] = Known(notice: lean, isTold: isTold, deliveredAt: deliveredAt, order: nextOrder)
        nextOrder += 1
    }

    // MARK: Decisions

    /// What an alert means for the receiver, which is to be sent it or not: nothing where it is known already.
    func entry(for alert: Alert, isWanted: Bool) -> BookEntry? {
        let before = known[AlertKey(alert)]
        if let before, before.notice.alert.isSameTransition(as: alert) {
            // It may have become wanted by another configuration.
            guard alert.state == .firing, isWanted, !before.isTold else { return nil }
            return queued(Notice(alert))
        }
        guard alert.state == .resolved else { return isWanted ? queued(Notice(alert)) : seen(alert) }
        if let before, before.notice.alert.state == .firing {
            // Who was told that it fires is told that it no longer does, whatever is wanted now.
            return before.isTold
                ? queued(Notice(alert, beginning: before.notice.beginning)) : seen(alert)
        }
        // What was resolved before the receiver was there is no news.
        return isWanted && hasLooked ? queued(Notice(alert)) : seen(alert)
    }

    private func queued(_ notice: Notice) -> BookEntry {
        .queued(number: nextNumber, notice: notice.bounded)
    }

    private func seen(_ alert: Alert) -> BookEntry {
        var notice = Notice(alert).bounded
        notice.alert.top = []
        return .known(notice: notice, isTold: false, deliveredAt: nil)
    }

    /// What is known and neither fires any more nor was resolved lately, by a whole list of the daemon's, which is of
    /// `time`, RFC 3339.
    func entriesForUnlisted(_ listed: Set<AlertKey>, time: String) -> [BookEntry] {
        let unlisted = known.filter { !listed.contains($0.key) }
        var entries: [BookEntry] = []
        var forgotten: [AlertKey] = []
        var number = nextNumber
        for (key, known) in unlisted.sorted(by: { $0.value.order < $1.value.order }) {
            guard known.isTold, known.notice.alert.state == .firing else {
                // What still waits must stay known, for its end may yet come.
                if !queue.contains(key) { forgotten.append(key) }
                continue
            }
            var alert = known.notice.alert
            alert.state = .resolved
            alert.since = time
            alert.message = "\(alert.rule) no longer fires; its end was not seen"
            entries.append(
                .queued(number: number, notice: Notice(alert, beginning: known.notice.beginning)))
            number += 1
        }
        if !forgotten.isEmpty { entries.append(.forgotten(keys: forgotten)) }
        return entries
    }

    /// What must go to keep within the limits, now that something came; the latest state of each alert stays as long
    /// as there is room for it.
    func entriesToFit() -> [BookEntry] {
        var entries: [BookEntry] = []
        let dropped = noticesToDrop()
        if !dropped.isEmpty { entries.append(.dropped(numbers: dropped)) }
        if known.count > limits.known {
            let forgotten = knownToForget()
            if !forgotten.isEmpty { entries.append(.forgotten(keys: forgotten)) }
        }
        return entries
    }

    private func noticesToDrop() -> [Int64] {
        var count = queue.count
        var bytes = queue.bytes
        var dropped: [Int64] = []
        func isFull() -> Bool { count > limits.notices || bytes > limits.bytes }
        func drop(_ item: NoticeQueue.Item) {
            dropped.append(item.number)
            count -= 1
            bytes -= item.size
        }
        guard isFull() else { return [] }
        // Those of what came last first: to look at all of them each time would cost too much in a flood.
        if let newest = queue.newest {
            for number in queue.numbers(of: newest.notice.key).dropLast() {
                if let item = queue.item(number) { drop(item) }
            }
        }
        if isFull(), queue.outdated > dropped.count {
            let gone = Set(dropped)
            for item in queue.all where !queue.isLatest(item) && !gone.contains(item.number) { drop(item) }
        }
        guard isFull() else { return dropped }
        let gone = Set(dropped)
        for item in queue.all where !gone.contains(item.number) {
            guard isFull() else { break }
            drop(item)
        }
        return dropped
    }

    private func knownToForget() -> [AlertKey] {
        let resolved = known.filter { $0.value.notice.alert.state == .resolved && !queue.contains($0.key) }
        let old = resolved.sorted { $0.value.order < $1.value.order }.dropLast(Self.resolvedKept).map(\.key)
        // Some more at once, so that not every further alert costs a look at all.
        let excess = known.count - limits.known + limits.known / 16
        guard old.count < excess else { return old }
        let gone = Set(old)
        let oldest = known.sorted { $0.value.order < $1.value.order }.lazy.filter { !gone.contains($0.key) }
        return old + oldest.prefix(excess - old.count).map(\.key)
    }

    // MARK: Delivery

    /// The next notices to deliver together: of one rule, each alert once, the oldest first.
    func nextBatch(limit: Int, byteLimit: Int = 1 << 20) -> [(number: Int64, notice: Notice)] {
        var batch: [(number: Int64, notice: Notice)] = []
        var keys: Set<AlertKey> = []
        var bytes = 0
        // Looking further than that costs more than another request.
        for item in queue.all.prefix(16 * limit) {
            if let first = batch.first {
                guard batch.count < limit, bytes + item.size <= byteLimit else { break }
                guard item.notice.alert.rule == first.notice.alert.rule else { continue }
            }
            guard keys.insert(item.notice.key).inserted else { continue }
            batch.append((item.number, item.notice))
            bytes += item.size
        }
        return batch
    }

    /// The alerts that fire, were told, and were delivered last before `time`, seconds since the epoch; what waits is
    /// left out.
    func firing(deliveredBefore time: Int64) -> [Notice] {
        known.filter { key, known in
            known.isTold && known.notice.alert.state == .firing && !queue.contains(key)
                && (known.deliveredAt ?? .min) < time
        }.sorted { $0.value.order < $1.value.order }.map(\.value.notice)
    }

    /// When an alert was delivered last that was delivered longest ago of those that fire, seconds since the epoch.
    var oldestDelivery: Int64? {
        known.filter { key, known in
            known.isTold && known.notice.alert.state == .firing && !queue.contains(key)
        }.map { $0.value.deliveredAt ?? 0 }.min()
    }

    /// Entries that make a book like this one.
    func entries() -> [BookEntry] {
        let known = known.values.sorted { $0.order < $1.order }.map { known in
            BookEntry.known(notice: known.notice, isTold: known.isTold, deliveredAt: known.deliveredAt)
        }
        let queued = queue.all.map { BookEntry.queued(number: $0.number, notice: $0.notice) }
        // What is known stands last: it may be of later than what waits.
        return (hasLooked ? [.looked] : []) + queued + known
    }
}

extension Alert {
    /// Whether both tell that the same alert entered the same state at the same time.
    func isSameTransition(as other: Alert) -> Bool {
        AlertKey(self) == AlertKey(other) && state == other.state && since == other.since
    }
}
