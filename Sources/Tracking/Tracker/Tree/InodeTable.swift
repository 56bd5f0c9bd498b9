/// Records by inode number, without gaps.
///
/// A dictionary doubles when it grows and is on average half empty; here the records are in chunks, of which the last
/// alone has room, and the index beside them costs some 6 bytes a record. The last record takes the place of one that
/// goes, so memory follows what is there.
///
/// A slot is good until a record goes. Chunks are changed in place as long as nobody else holds the table.
///
/// What is called for each file is specialized by name: a build without whole-module optimization, in which tests run,
/// would look the record's type up at each call, and the simulation takes a quarter longer.
struct InodeTable<Record> {
    private struct Numbered {
        let inode: UInt64
        var record: Record
    }

    // Static properties cannot be stored in generic types.
    private static var chunkBits: Int { 8 }
    private static var chunkSize: Int { 1 << chunkBits }

    private var chunks: [[Numbered]] = []
    private var index = SlotIndex()

    var count: Int { index.count }
    /// How many records there is memory for, and how many words the index has.
    var capacity: (records: Int, words: Int) { (chunks.map(\.capacity).reduce(0, +), index.words.count) }

    @_specialize(where Record == LayerTree.Directory)
    @_specialize(where Record == LayerTree.FileRecord)
    func slot(of inode: UInt64) -> Int? {
        index.slot(Self.hash(inode)) { self.inode(at: $0) == inode }
    }

    func contains(_ inode: UInt64) -> Bool { slot(of: inode) != nil }

    @_specialize(where Record == LayerTree.Directory)
    @_specialize(where Record == LayerTree.FileRecord)
    func inode(at slot: Int) -> UInt64 {
        Self.numbered(chunks, slot).inode
    }

    subscript(slot: Int) -> Record {
        @_specialize(where Record == LayerTree.Directory)
        @_specialize(where Record == LayerTree.FileRecord)
        _read { yield chunks[slot >> Self.chunkBits][slot & (Self.chunkSize - 1)].record }
        @_specialize(where Record == LayerTree.Directory)
        @_specialize(where Record == LayerTree.FileRecord)
        _modify { yield &chunks[slot >> Self.chunkBits][slot & (Self.chunkSize - 1)].record }
    }

    /// Adds a record of an inode that has none; returns its slot.
    @_specialize(where Record == LayerTree.Directory)
    @_specialize(where Record == LayerTree.FileRecord)
    @discardableResult
    mutating func insert(_ record: Record, of inode: UInt64) -> Int {
        let slot = count
        index.append(Self.hash(inode)) { [chunks] in Self.hash(Self.numbered(chunks, $0).inode) }
        if slot & (Self.chunkSize - 1) == 0 {
            var chunk: [Numbered] = []
            // Most layers have few files: the first chunk grows with them.
            if !chunks.isEmpty { chunk.reserveCapacity(Self.chunkSize) }
            chunks.append(chunk)
        }
        chunks[chunks.count - 1].append(Numbered(inode: inode, record: record))
        return slot
    }

    /// Takes the record of an inode away, if there is one.
    @_specialize(where Record == LayerTree.Directory)
    @_specialize(where Record == LayerTree.FileRecord)
    @discardableResult
    mutating func remove(_ inode: UInt64) -> Record? {
        guard let slot = slot(of: inode) else { return nil }
        index.remove(slot) { [chunks] in Self.hash(Self.numbered(chunks, $0).inode) }
        let record = self[slot]
        let last = chunks[chunks.count - 1].removeLast()
        // It was another than the last.
        if slot < count { chunks[slot >> Self.chunkBits][slot & (Self.chunkSize - 1)] = last }
        if chunks[chunks.count - 1].isEmpty { chunks.removeLast() }
        return record
    }

    @_specialize(where Record == LayerTree.Directory)
    @_specialize(where Record == LayerTree.FileRecord)
    private static func numbered(_ chunks: [[Numbered]], _ slot: Int) -> Numbered {
        chunks[slot >> chunkBits][slot & (chunkSize - 1)]
    }

    private static func hash(_ inode: UInt64) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(inode)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}
