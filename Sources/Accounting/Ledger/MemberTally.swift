/// What the figures of a store's layers and trees come to as a whole, kept as each of them changes.
struct MemberTally: Sendable {
    private(set) var measured = 0
    private(set) var watches = 0
    private var converging = 0
    /// Those that are worse than converging, by how bad that is.
    private var troubled: [Int: PositionSet] = [:]

    mutating func replace(_ old: LayerRecord?, with new: LayerRecord?, at position: Int) {
        count(old, by: -1)
        count(new, by: 1)
        if let old, old.confidence.isTrouble { troubled[old.confidence.rank]?.remove(position) }
        if let new, new.confidence.isTrouble {
            troubled[new.confidence.rank, default: PositionSet()].insert(position)
        }
    }

    private mutating func count(_ record: LayerRecord?, by one: Int) {
        guard let record else { return }
        measured += one
        watches += one * record.watches
        if record.confidence == .converging { converging += one }
    }

    /// The worst confidence of all; of several that are as bad, that of the first.
    ///
    /// - Parameters:
    ///   - total: How many layers and trees there are.
    ///   - confidence: That of the one at a position.
    /// - Returns: What the store's confidence cannot be better than.
    func worst(of total: Int, confidence: (Int) -> Confidence?) -> Confidence {
        for rank in troubled.keys.sorted(by: >) {
            if let first = troubled[rank]?.first, let worst = confidence(first) { return worst }
        }
        return converging > 0 || measured < total ? .converging : .exact
    }
}

/// A set of positions that knows its first: one bit for each.
struct PositionSet: Sendable {
    private var words: [UInt64] = []

    mutating func insert(_ position: Int) {
        let word = position / 64
        if word >= words.count { words += [UInt64](repeating: 0, count: word + 1 - words.count) }
        words[word] |= 1 << (position % 64)
    }

    mutating func remove(_ position: Int) {
        let word = position / 64
        if word < words.count { words[word] &= ~(1 << (position % 64)) }
    }

    var first: Int? {
        words.firstIndex { $0 != 0 }.map { $0 * 64 + words[$0].trailingZeroBitCount }
    }
}
