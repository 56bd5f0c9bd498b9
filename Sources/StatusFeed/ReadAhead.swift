import NIOCore
import NIOHTTP1
import Wire

/// What a client sent ahead of its answers (RFC 9112, section 9.3.2), bounded.
struct ReadAhead {
    enum Item {
        case part(HTTPServerRequestPart)
        /// What followed is not HTTP, or too much of it.
        case broken(Problem)
    }

    private let limit: Int
    private var items: CircularBuffer<Item> = []
    private var requests = 0
    /// Whether more came than is kept: after the rest is answered the connection must be closed.
    private(set) var isTooFar = false

    init(limit: Int) {
        self.limit = max(0, limit)
    }

    mutating func append(_ item: Item) {
        if case .part(.head) = item { requests += 1 }
        // A request has a head and an end, and seldom a part of a body.
        if requests > limit || items.count >= 4 * limit { isTooFar = true }
        if !isTooFar { items.append(item) }
    }

    mutating func popFirst() -> Item? {
        let item = items.popFirst()
        if case .part(.head) = item { requests -= 1 }
        return item
    }

    mutating func removeAll() {
        items.removeAll()
        requests = 0
    }
}
