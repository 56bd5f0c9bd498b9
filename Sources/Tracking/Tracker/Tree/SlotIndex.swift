/// Finds which slot of an array has a key, by the key's hash; the array itself is its owner's.
///
/// Slots are numbered from 0 without a gap: a new one is the last, and the last one takes the place of one that goes.
/// It is an open-addressing table with linear probing. A word holds a slot and, above it, as many bits of the hash as
/// there is room for, so that the keys of other words are hardly ever looked at. Words are four bytes, and a quarter to
/// four fifths of them are in use: after growth half, so that a slot costs 5 to 7.5 bytes while there are ever more.
///
/// Containers choose keys, so a hash must depend on what they cannot know, as Swift's `Hasher` does.
struct SlotIndex {
    private static let smallestCapacity = 16

    /// 0 where it is free; else a slot plus one, and bits of its hash above.
    private(set) var words: [UInt32] = []
    private var used: UInt32 = 0
    /// How many bits of a word are the slot's.
    private var slotBits: UInt32 = 0

    init() {}

    /// An index of the slots from 0 to `count`.
    init(count: Int, hashOf: (Int) -> UInt32) {
        rebuild(count: count, hashOf)
    }

    var isEmpty: Bool { used == 0 }
    var count: Int { Int(used) }

    /// The slot with this hash that is the right one.
    func slot(_ hash: UInt32, where isRight: (Int) -> Bool) -> Int? {
        guard !words.isEmpty else { return nil }
        let tag = tag(hash)
        var position = home(hash)
        while words[position] != 0 {
            let word = words[position]
            if word & ~slotMask == tag, isRight(slot(word)) { return slot(word) }
            position = next(position)
        }
        return nil
    }

    /// Adds the slot after the last one; `hashOf` is asked about those that are there.
    mutating func append(_ hash: UInt32, hashOf: (Int) -> UInt32) {
        if (count + 1) * 5 > words.count * 4 { rebuild(count: count, room: 1, hashOf) }
        place(count, hash)
        used += 1
    }

    /// Takes a slot out, whose place the last one takes; `hashOf` is asked about slots as they were before.
    mutating func remove(_ slot: Int, hashOf: (Int) -> UInt32) {
        let last = count - 1
        free(position(of: slot, hashOf(slot)), hashOf)
        if slot != last {
            let hash = hashOf(last)
            words[position(of: last, hash)] = UInt32(slot + 1) | tag(hash)
        }
        used -= 1
        if words.count > Self.smallestCapacity, count * 4 < words.count {
            rebuild(count: count) { hashOf($0 == slot ? last : $0) }
        }
    }

    // MARK: Words

    private var slotMask: UInt32 { ~(UInt32.max << slotBits) }

    private func tag(_ hash: UInt32) -> UInt32 { hash << slotBits }

    private func slot(_ word: UInt32) -> Int { Int(word & slotMask) - 1 }

    private func home(_ hash: UInt32) -> Int {
        // The upper bits of the hash, as the tag has the lower.
        Int((UInt64(hash) * UInt64(words.count)) >> 32)
    }

    private func next(_ position: Int) -> Int {
        position + 1 == words.count ? 0 : position + 1
    }

    private func distance(from home: Int, to position: Int) -> Int {
        position >= home ? position - home : position + words.count - home
    }

    private func position(of slot: Int, _ hash: UInt32) -> Int {
        let word = UInt32(slot + 1) | tag(hash)
        var position = home(hash)
        while words[position] != word { position = next(position) }
        return position
    }

    private mutating func place(_ slot: Int, _ hash: UInt32) {
        var position = home(hash)
        while words[position] != 0 { position = next(position) }
        words[position] = UInt32(slot + 1) | tag(hash)
    }

    /// Frees a word, and moves into it what was farther from its home because of it.
    private mutating func free(_ position: Int, _ hashOf: (Int) -> UInt32) {
        var hole = position
        var current = next(hole)
        while words[current] != 0 {
            let home = home(hashOf(slot(words[current])))
            if distance(from: home, to: current) >= distance(from: hole, to: current) {
                words[hole] = words[current]
                hole = current
            }
            current = next(current)
        }
        words[hole] = 0
    }

    private mutating func rebuild(count: Int, room: Int = 0, _ hashOf: (Int) -> UInt32) {
        let capacity = max(Self.smallestCapacity, (count + room) * 15 / 8)
        words = [UInt32](repeating: 0, count: capacity)
        slotBits = UInt32(Int.bitWidth - capacity.leadingZeroBitCount)
        for slot in 0..<count { place(slot, hashOf(slot)) }
        used = UInt32(count)
    }
}
