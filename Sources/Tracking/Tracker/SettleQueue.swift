/// Files that were written lately, whose allocated blocks may still change without an event.
///
/// Measured: ext4 allocates the blocks of a file's extent tree when it writes back, 30 s after the write; XFS
/// takes preallocated blocks back up to 300 s after the last close.
struct SettleQueue {
    static let limit = 65_536

    /// Nanoseconds after a write at which to look again, ascending.
    let delays: [Int64]
    private var due: [UInt64: (at: Int64, stage: Int)] = [:]
    /// By stage, in the order of time; those before `heads` are done, and those are void that `due` does not have so.
    private(set) var order: [[(at: Int64, inode: UInt64)]]
    private var heads: [Int]
    /// More were written than fit: only a look at everything settles them.
    private(set) var hasOverflowed = false

    init(delaysSeconds: [Int]) {
        delays = delaysSeconds.map { Int64($0) * 1_000_000_000 }
        order = delays.map { _ in [] }
        heads = delays.map { _ in 0 }
    }

    var inodes: some Collection<UInt64> { due.keys }
    var isEmpty: Bool { due.isEmpty }

    func contains(_ inode: UInt64) -> Bool { due[inode] != nil }

    mutating func noteWrite(of inode: UInt64, at now: Int64) {
        schedule(inode, stage: 0, at: now.addingReportingOverflow(delays.first ?? 0).partialValue)
    }

    mutating func forget(_ inode: UInt64) {
        due[inode] = nil
        due.giveBack()
    }

    mutating func clearOverflow() {
        hasOverflowed = false
    }

    /// The files whose time has come; each waits for its next stage, if there is one.
    mutating func takeDue(at now: Int64) -> [UInt64] {
        var result: [UInt64] = []
        for stage in delays.indices {
            while heads[stage] < order[stage].count, order[stage][heads[stage]].at <= now {
                let entry = order[stage][heads[stage]]
                heads[stage] += 1
                guard isCurrent(entry, stage) else { continue }
                result.append(entry.inode)
                due[entry.inode] = nil
                if stage + 1 < delays.count {
                    schedule(entry.inode, stage: stage + 1, at: entry.at + delays[stage + 1] - delays[stage])
                }
            }
            if heads[stage] > 0, heads[stage] == order[stage].count || heads[stage] > Self.limit {
                dropVoid(stage)
            }
        }
        due.giveBack()
        return result
    }

    /// When ``takeDue(at:)`` next has something.
    var nextDue: Int64? {
        var next: Int64?
        for stage in delays.indices where heads[stage] < order[stage].count {
            next = min(next ?? .max, order[stage][heads[stage]].at)
        }
        return next
    }

    private mutating func schedule(_ inode: UInt64, stage: Int, at: Int64) {
        guard order.indices.contains(stage) else { return }
        if let current = due[inode], current.stage == stage, at - current.at < 1_000_000_000 {
            // A hot file: once a second is enough to push its time back.
            return
        }
        if due[inode] == nil, due.count >= Self.limit {
            hasOverflowed = true
            return
        }
        due[inode] = (at, stage)
        // Files that come and go, and hot ones, leave entries behind.
        if order[stage].count >= 2 * Self.limit { dropVoid(stage) }
        order[stage].append((at, inode))
    }

    private func isCurrent(_ entry: (at: Int64, inode: UInt64), _ stage: Int) -> Bool {
        guard let current = due[entry.inode] else { return false }
        return current.at == entry.at && current.stage == stage
    }

    private mutating func dropVoid(_ stage: Int) {
        order[stage] = order[stage][heads[stage]...].filter { isCurrent($0, stage) }
        heads[stage] = 0
    }
}
