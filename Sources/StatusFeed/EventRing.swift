import NIOCore
import Wire

/// The latest events, in one place for all readers, each of which only knows the id it has read up to.
///
/// A reader's queue is the part of the ring after its id, so that a slow one costs no memory of its own.
struct EventRing {
    private let capacity: Int
    private let costLimit: Int
    private var entries: CircularBuffer<FeedEntry> = []
    private var cost = 0
    /// The id before the first of this run.
    let firstID: Int64
    private(set) var lastID: Int64

    init(firstID: Int64, capacity: Int, costLimit: Int) {
        // Far enough from the end of the numbers that counting up never gets there.
        self.firstID = min(max(firstID, .min / 2), .max / 2)
        self.lastID = self.firstID
        self.capacity = max(1, capacity)
        self.costLimit = costLimit
    }

    enum Reading {
        case caughtUp
        /// The next events, without a hole.
        case events([FeedEntry])
        /// Events after the reader's id are gone: so many, counted to `last`.
        case gap(lost: Int64, last: Int64)
    }

    var nextID: Int64 { lastID + 1 }

    /// Takes an event whose id is ``nextID``, and lets go of the oldest where there are too many.
    mutating func append(_ entry: FeedEntry) {
        lastID = entry.event.id
        entries.append(entry)
        cost += entry.cost
        while entries.count > capacity || (cost > costLimit && entries.count > 1),
            let oldest = entries.popFirst()
        {
            cost -= oldest.cost
        }
    }

    /// What a reader that has read up to `id` is to get next.
    ///
    /// An id of another run of the daemon counts as having lost every event of this one.
    func read(after id: Int64, limit: Int) -> Reading {
        guard id != lastID else { return .caughtUp }
        guard id >= firstID, id < lastID else { return .gap(lost: lastID - firstID, last: lastID) }
        let behind = lastID - id
        guard behind <= Int64(entries.count) else { return .gap(lost: behind, last: lastID) }
        return .events(Array(entries.suffix(Int(behind)).prefix(limit)))
    }
}
