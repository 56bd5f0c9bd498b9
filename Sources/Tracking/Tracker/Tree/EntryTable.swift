internal import Glibc
internal import Kernel

/// The entries of one directory: names, and the inode number that each leads to; packed.
///
/// A name object of its own for each entry would cost more than the entry. Entries are numbered by slots from 0 without
/// a gap; the last takes the slot of one that goes. What is reserved beyond need is a quarter at most while entries
/// come, and half once they go.
struct EntryTable {
    private struct Entry {
        var inode: UInt64
        /// Where the name begins.
        var offset: UInt32
        var hash: UInt32
    }

    /// Up to so many hashes are compared one by one: most directories then need no memory for an index.
    ///
    /// Measured: 100,000 directories of ten names are filled and searched in 0.16 s, with a dictionary each in 0.37 s.
    private static let linearLimit = 32

    private var entries: [Entry] = []
    /// The names, each with a NUL behind it, which no name holds.
    private var names: [UInt8] = []
    /// How many bytes of them are of names that went.
    private var unused: UInt32 = 0
    private var index = SlotIndex()

    var count: Int { entries.count }
    /// How many entries, bytes of names and words of an index there is memory for.
    var capacity: (entries: Int, names: Int, words: Int) {
        (entries.capacity, names.capacity, index.words.count)
    }

    func slot(of name: FileName) -> Int? {
        guard !entries.isEmpty else { return nil }
        return name.bytes.withUnsafeBytes { name in
            let hash = Self.hash(name)
            guard index.isEmpty else {
                return index.slot(hash) { has(name, at: $0) }
            }
            return entries.indices.first { entries[$0].hash == hash && has(name, at: $0) }
        }
    }

    func inode(at slot: Int) -> UInt64 { entries[slot].inode }

    func name(at slot: Int) -> FileName {
        let offset = Int(entries[slot].offset)
        return FileName(bytes: Array(names[offset..<offset + length(at: slot)]))
    }

    /// Adds an entry whose name is not there; returns its slot.
    @discardableResult
    mutating func append(_ name: FileName, _ inode: UInt64) -> Int {
        let hash = name.bytes.withUnsafeBytes(Self.hash)
        if entries.count == entries.capacity {
            entries.reserveCapacity(entries.count + entries.count / 4 + 2)
        }
        let end = names.count + name.bytes.count + 1
        if end > names.capacity { names.reserveCapacity(end + names.count / 4) }
        entries.append(Entry(inode: inode, offset: UInt32(names.count), hash: hash))
        names += name.bytes
        names.append(0)
        if !index.isEmpty {
            index.append(hash) { [entries] in entries[$0].hash }
        } else if entries.count > Self.linearLimit {
            index = SlotIndex(count: entries.count) { entries[$0].hash }
        }
        return entries.count - 1
    }

    /// Takes an entry away; returns the inode number of the entry that has its slot now, if there is one.
    @discardableResult
    mutating func remove(at slot: Int) -> UInt64? {
        if !index.isEmpty {
            index.remove(slot) { [entries] in entries[$0].hash }
            if index.count <= Self.linearLimit / 2 { index = SlotIndex() }
        }
        unused += UInt32(length(at: slot) + 1)
        let last = entries.removeLast()
        guard !entries.isEmpty else {
            self = EntryTable()
            return nil
        }
        if slot < entries.count { entries[slot] = last }
        giveBack()
        return slot < entries.count ? last.inode : nil
    }

    /// Makes the arrays smaller where much of them is unused, which takes as long as it took to remove that.
    private mutating func giveBack() {
        if entries.capacity > 2 * entries.count + 8 {
            var smaller: [Entry] = []
            smaller.reserveCapacity(entries.count + entries.count / 8)
            smaller += entries
            entries = smaller
        }
        guard unused > 64, Int(unused) * 2 > names.count else { return }
        var left: [UInt8] = []
        left.reserveCapacity((names.count - Int(unused)) * 9 / 8)
        for slot in entries.indices {
            let offset = Int(entries[slot].offset)
            let end = offset + length(at: slot) + 1
            entries[slot].offset = UInt32(left.count)
            left += names[offset..<end]
        }
        names = left
        unused = 0
    }

    private func length(at slot: Int) -> Int {
        names.withUnsafeBufferPointer { names in
            names.baseAddress.map { strlen($0 + Int(entries[slot].offset)) } ?? 0
        }
    }

    private func has(_ name: UnsafeRawBufferPointer, at slot: Int) -> Bool {
        let offset = Int(entries[slot].offset)
        return names.withUnsafeBytes { names in
            guard let first = names.baseAddress, let wanted = name.baseAddress else { return false }
            return names.count - offset > name.count && names[offset + name.count] == 0
                && memcmp(first + offset, wanted, name.count) == 0
        }
    }

    private static func hash(_ name: UnsafeRawBufferPointer) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}
