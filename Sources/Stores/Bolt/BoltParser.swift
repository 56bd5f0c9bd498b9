/// Walks the pages of a bbolt database from the root on, checking each.
struct BoltParser {
    private enum PageKind {
        static let branch: UInt16 = 1
        static let leaf: UInt16 = 2
    }

    private static let header = 16
    private static let element = 16

    /// A page, or the leaf page within the value of an inline bucket.
    private struct Page {
        let id: UInt64
        let bounds: Range<Int>
        let kind: UInt16
        let count: Int
    }

    /// Which keys a page may hold: those between two keys of the page above.
    private struct KeyRange {
        var from: Range<Int>?
        var below: Range<Int>?
    }

    private let bytes: [UInt8]
    private let meta: BoltMeta
    private var isVisited: [Bool]
    private var entryCount = 0
    private(set) var buckets: [BoltContent.Bucket] = []

    init(bytes: [UInt8], meta: BoltMeta) {
        self.bytes = bytes
        self.meta = meta
        isVisited = Array(repeating: false, count: bytes.count / meta.pageSize)
    }

    /// Parses the bucket whose first page is `root` and returns its place in ``buckets``.
    mutating func bucket(at root: UInt64, sequence: UInt64, depth: Int) throws(BoltFault) -> Int {
        let index = buckets.count
        buckets.append(BoltContent.Bucket(sequence: sequence))
        var entries: [BoltContent.Entry] = []
        try readTree(at: root, within: KeyRange(), depth: depth, into: &entries)
        buckets[index].entries = entries
        return index
    }

    private mutating func readTree(
        at id: UInt64, within range: KeyRange, depth: Int, into entries: inout [BoltContent.Entry]
    ) throws(BoltFault) {
        let page = try visit(id, depth: depth)
        guard page.kind == PageKind.branch else {
            try readLeaf(page, within: range, depth: depth, into: &entries)
            return
        }
        guard page.count > 0 else { throw .damaged(page: id, "it is a branch without children") }
        let places = try keys(of: page, within: range)
        for (position, key) in places.enumerated() {
            let child = bytes.littleEndian(at: elementStart(position, page) + 8, as: UInt64.self)
            let next = position + 1 < places.count ? places[position + 1] : range.below
            try readTree(
                at: child, within: KeyRange(from: key, below: next), depth: depth + 1, into: &entries)
        }
    }

    /// Takes a page that no other place leads to.
    private mutating func visit(_ id: UInt64, depth: Int) throws(BoltFault) -> Page {
        guard depth < BoltSnapshot.maximumDepth else {
            throw .damaged(page: id, "it lies deeper than \(BoltSnapshot.maximumDepth) pages")
        }
        // The first two are the meta pages.
        guard id >= 2, id < meta.highWater else {
            throw .damaged(page: id, "there is no such page; the database has \(meta.highWater)")
        }
        guard id < UInt64(isVisited.count) else { throw .truncated(page: id) }
        let start = Int(id) * meta.pageSize
        let number = bytes.littleEndian(at: start, as: UInt64.self)
        let kind = bytes.littleEndian(at: start + 8, as: UInt16.self)
        let count = Int(bytes.littleEndian(at: start + 10, as: UInt16.self))
        let overflow = UInt64(bytes.littleEndian(at: start + 12, as: UInt32.self))
        guard number == id else { throw .damaged(page: id, "it says that it is page \(number)") }
        guard kind == PageKind.branch || kind == PageKind.leaf else {
            throw .damaged(page: id, "it is in a tree, but its kind is \(kind)")
        }
        guard overflow < meta.highWater - id else {
            throw .damaged(page: id, "it goes on beyond the last page, \(meta.highWater - 1)")
        }
        guard id + overflow < UInt64(isVisited.count) else { throw .truncated(page: id + overflow) }
        for part in Int(id)...Int(id + overflow) {
            guard !isVisited[part] else {
                throw .damaged(page: UInt64(part), "two places lead to it")
            }
            isVisited[part] = true
        }
        let end = start + (Int(overflow) + 1) * meta.pageSize
        return Page(id: id, bounds: start..<end, kind: kind, count: count)
    }

    private func elementStart(_ position: Int, _ page: Page) -> Int {
        page.bounds.lowerBound + Self.header + position * Self.element
    }

    /// The places of the keys of a branch page, in order.
    private func keys(of page: Page, within range: KeyRange) throws(BoltFault) -> [Range<Int>] {
        var places: [Range<Int>] = []
        places.reserveCapacity(page.count)
        var free = try endOfElements(page)
        for position in 0..<page.count {
            let start = elementStart(position, page)
            let key = try place(
                start + Int(bytes.littleEndian(at: start, as: UInt32.self)),
                Int(bytes.littleEndian(at: start + 4, as: UInt32.self)), page, after: free)
            free = key.upperBound
            try checkOrder(key, after: places.last, within: range, page)
            places.append(key)
        }
        return places
    }

    private mutating func readLeaf(
        _ page: Page, within range: KeyRange, depth: Int, into entries: inout [BoltContent.Entry]
    ) throws(BoltFault) {
        entryCount += page.count
        guard entryCount <= BoltSnapshot.maximumEntries else {
            throw .tooMany("it has more than \(BoltSnapshot.maximumEntries) entries")
        }
        var free = try endOfElements(page)
        var last: Range<Int>?
        for position in 0..<page.count {
            let start = elementStart(position, page)
            let flags = bytes.littleEndian(at: start, as: UInt32.self)
            guard flags & ~1 == 0 else {
                throw .damaged(page: page.id, "an element has the unknown flags \(flags)")
            }
            let key = try place(
                start + Int(bytes.littleEndian(at: start + 4, as: UInt32.self)),
                Int(bytes.littleEndian(at: start + 8, as: UInt32.self)), page, after: free)
            let value = try place(
                key.upperBound, Int(bytes.littleEndian(at: start + 12, as: UInt32.self)), page,
                after: key.upperBound)
            free = value.upperBound
            try checkOrder(key, after: last, within: range, page)
            last = key
            let bucket = flags == 0 ? nil : try bucket(in: value, page, depth: depth + 1)
            entries.append(
                BoltContent.Entry(
                    key: UInt32(key.lowerBound), keyCount: UInt32(key.count),
                    value: UInt32(value.lowerBound), valueCount: UInt32(value.count),
                    bucket: bucket.map(Int32.init)))
        }
    }

    /// Parses the bucket that a value describes, or holds.
    private mutating func bucket(
        in value: Range<Int>, _ page: Page, depth: Int
    ) throws(BoltFault) -> Int {
        guard value.count >= 16 else { throw .damaged(page: page.id, "the head of a bucket is cut") }
        let root = bytes.littleEndian(at: value.lowerBound, as: UInt64.self)
        let sequence = bytes.littleEndian(at: value.lowerBound + 8, as: UInt64.self)
        guard root == 0 else { return try bucket(at: root, sequence: sequence, depth: depth) }
        // An inline bucket: one leaf page follows, as long as it needs to be.
        guard depth < BoltSnapshot.maximumDepth else {
            throw .damaged(page: page.id, "buckets lie deeper than \(BoltSnapshot.maximumDepth) pages")
        }
        let bounds = (value.lowerBound + 16)..<value.upperBound
        guard bounds.count >= Self.header else {
            throw .damaged(page: page.id, "an inline bucket is cut")
        }
        let kind = bytes.littleEndian(at: bounds.lowerBound + 8, as: UInt16.self)
        guard kind == PageKind.leaf else {
            throw .damaged(page: page.id, "an inline bucket is of kind \(kind)")
        }
        let inner = Page(
            id: page.id, bounds: bounds, kind: kind,
            count: Int(bytes.littleEndian(at: bounds.lowerBound + 10, as: UInt16.self)))
        let index = buckets.count
        buckets.append(BoltContent.Bucket(sequence: sequence))
        var entries: [BoltContent.Entry] = []
        try readLeaf(inner, within: KeyRange(), depth: depth, into: &entries)
        buckets[index].entries = entries
        return index
    }

    /// Where the list of elements ends and their keys and values begin.
    private func endOfElements(_ page: Page) throws(BoltFault) -> Int {
        let end = elementStart(page.count, page)
        guard end <= page.bounds.upperBound else {
            throw .damaged(page: page.id, "its \(page.count) elements do not fit into it")
        }
        return end
    }

    /// A key or value within its page and behind what comes before it; nothing lies on anything else, so that no page
    /// holds more than it has bytes.
    private func place(
        _ start: Int, _ count: Int, _ page: Page, after free: Int
    ) throws(BoltFault) -> Range<Int> {
        guard start >= free, start <= page.bounds.upperBound, count <= page.bounds.upperBound - start else {
            throw .damaged(page: page.id, "an element lies outside of it or on another")
        }
        return start..<(start + count)
    }

    private func checkOrder(
        _ key: Range<Int>, after last: Range<Int>?, within range: KeyRange, _ page: Page
    ) throws(BoltFault) {
        let isInOrder =
            if let last {
                bytes[last].lexicographicallyPrecedes(bytes[key])
            } else {
                range.from.map { !bytes[key].lexicographicallyPrecedes(bytes[$0]) } ?? true
            }
        guard isInOrder, range.below.map({ bytes[key].lexicographicallyPrecedes(bytes[$0]) }) ?? true else {
            throw .damaged(page: page.id, "its keys are not in order")
        }
    }
}
