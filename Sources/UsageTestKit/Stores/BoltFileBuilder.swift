/// Makes bbolt database files as bbolt does: a transaction writes pages that the one before does not use, then the
/// meta page that the one before did not write.
///
/// Layout: `internal/common` of etcd-io/bbolt.
public struct BoltFileBuilder: Sendable {
    /// One `pwrite` of a transaction.
    public struct Write: Hashable, Sendable {
        public let offset: Int
        public let bytes: [UInt8]

        public init(offset: Int, bytes: [UInt8]) {
            self.offset = offset
            self.bytes = bytes
        }
    }

    public let pageSize: Int
    /// Whether a page lists the free pages, or the engine finds them when it opens the file.
    public let hasFreelist: Bool
    /// The file as the transactions so far left it.
    public private(set) var bytes: [UInt8]
    public private(set) var transaction: UInt64
    /// The pages that the last transaction uses.
    public private(set) var used: Set<UInt64>
    private var highWater: UInt64

    /// A new database, as an engine makes it: two meta pages, an empty freelist and an empty root bucket.
    public init(pageSize: Int = 4096, hasFreelist: Bool = true) {
        self.pageSize = pageSize
        self.hasFreelist = hasFreelist
        bytes = Array(repeating: 0, count: 4 * pageSize)
        transaction = 1
        used = [0, 1, 2, 3]
        highWater = 4
        for id in UInt64(0)...1 {
            apply(meta(id, root: 3, sequence: 0, freelist: 2, highWater: 4, transaction: id))
        }
        apply(Write(offset: 2 * pageSize, bytes: Self.header(2, 0x10, 0, 0)))
        apply(Write(offset: 3 * pageSize, bytes: Self.header(3, 2, 0, 0)))
    }

    /// A database of one content.
    public init(_ tree: BoltTree, pageSize: Int = 4096, hasFreelist: Bool = true) {
        self.init(pageSize: pageSize, hasFreelist: hasFreelist)
        commit(tree)
    }

    /// Replaces the whole content in one transaction.
    public mutating func commit(_ tree: BoltTree) {
        let (writes, used, highWater) = plan(tree)
        for write in writes { apply(write) }
        self.used = used
        self.highWater = highWater
        transaction += 1
    }

    /// What the next transaction would write, in order; the last is the meta page.
    public func writes(of tree: BoltTree) -> [Write] {
        plan(tree).writes
    }

    /// Does one write of a transaction, so that the file is half-written.
    public mutating func apply(_ write: Write) {
        let end = write.offset + write.bytes.count
        if end > bytes.count {
            let pages = (end + pageSize - 1) / pageSize
            bytes += Array(repeating: 0, count: pages * pageSize - bytes.count)
        }
        bytes.replaceSubrange(write.offset..<end, with: write.bytes)
    }

    private func plan(_ tree: BoltTree) -> (writes: [Write], used: Set<UInt64>, highWater: UInt64) {
        var allocation = Allocation(pageSize: pageSize, taken: used, next: highWater)
        let root = allocation.write(tree)
        var freelist = UInt64.max
        if hasFreelist {
            let free = (2..<allocation.next).filter {
                !allocation.used.contains($0)
            }
            let ids = free.flatMap { Self.number($0, 8) }
            freelist = allocation.page(kind: 0x10, count: UInt16(free.count), body: ids)
        }
        let next = transaction + 1
        let last = meta(
            next % 2, root: root, sequence: tree.sequence, freelist: freelist, highWater: allocation.next,
            transaction: next)
        return (allocation.writes + [last], allocation.used.union([0, 1]), allocation.next)
    }

    private func meta(
        _ id: UInt64, root: UInt64, sequence: UInt64, freelist: UInt64, highWater: UInt64, transaction: UInt64
    ) -> Write {
        var body = Self.number(0xED0C_DAED, 4) + Self.number(2, 4) + Self.number(UInt64(pageSize), 4)
        body += Self.number(0, 4)
        for field in [root, sequence, freelist, highWater, transaction] { body += Self.number(field, 8) }
        return Write(offset: Int(id) * pageSize, bytes: Self.metaPage(id, body))
    }

    /// A meta page of what it says without its checksum.
    static func metaPage(_ id: UInt64, _ body: [UInt8]) -> [UInt8] {
        header(id, 4, 0, 0) + body + number(checksum(body), 8)
    }

    /// FNV-1a of 64 bits, as a meta page ends with it.
    public static func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }

    static func header(_ id: UInt64, _ kind: UInt16, _ count: UInt16, _ overflow: UInt32) -> [UInt8] {
        number(id, 8) + number(UInt64(kind), 2) + number(UInt64(count), 2) + number(UInt64(overflow), 4)
    }

    static func number(_ value: UInt64, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}

/// Lays the pages of one transaction out.
private struct Allocation {
    struct Element {
        let key: [UInt8]
        let isBucket: Bool
        let value: [UInt8]
    }

    let pageSize: Int
    let taken: Set<UInt64>
    var next: UInt64
    var used: Set<UInt64> = []
    var writes: [BoltFileBuilder.Write] = []

    init(pageSize: Int, taken: Set<UInt64>, next: UInt64) {
        self.pageSize = pageSize
        self.taken = taken
        self.next = next
    }

    /// Writes a bucket's pages and returns the first.
    mutating func write(_ tree: BoltTree) -> UInt64 {
        let elements = tree.nodes.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, node in
            switch node {
            case .value(let value): Element(key: key, isBucket: false, value: value)
            case .bucket(let inner): Element(key: key, isBucket: true, value: describe(inner))
            }
        }
        var level: [(key: [UInt8], page: UInt64)] = []
        var batch: [Element] = []
        var bytes = 16
        for element in elements {
            let more = 16 + element.key.count + element.value.count
            if !batch.isEmpty, bytes + more > pageSize {
                level.append((batch[0].key, leaf(batch)))
                batch = []
                bytes = 16
            }
            batch.append(element)
            bytes += more
        }
        level.append((batch.first?.key ?? [], leaf(batch)))
        while level.count > 1 { level = branches(over: level) }
        return level[0].page
    }

    /// A bucket's value: where its pages are, or the bucket itself if it is small and holds no other.
    private mutating func describe(_ tree: BoltTree) -> [UInt8] {
        let head = BoltFileBuilder.number(tree.sequence, 8)
        let holdsNone = tree.nodes.values.allSatisfy { if case .value = $0 { true } else { false } }
        let size = tree.nodes.reduce(16) {
            guard case .value(let value) = $1.value else { return $0 }
            return $0 + 16 + $1.key.count + value.count
        }
        if holdsNone, size <= pageSize / 4 {
            let elements = tree.nodes.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, node in
                if case .value(let value) = node { return Element(key: key, isBucket: false, value: value) }
                return Element(key: key, isBucket: false, value: [])
            }
            return BoltFileBuilder.number(0, 8) + head
                + BoltFileBuilder.header(0, 2, UInt16(elements.count), 0) + Self.body(elements)
        }
        return BoltFileBuilder.number(write(tree), 8) + head
    }

    private mutating func leaf(_ elements: [Element]) -> UInt64 {
        page(kind: 2, count: UInt16(elements.count), body: Self.body(elements))
    }

    private static func body(_ elements: [Element]) -> [UInt8] {
        var heads: [UInt8] = []
        var data: [UInt8] = []
        for (index, element) in elements.enumerated() {
            let position = (elements.count - index) * 16 + data.count
            heads +=
                BoltFileBuilder.number(element.isBucket ? 1 : 0, 4)
                + BoltFileBuilder.number(UInt64(position), 4)
            heads += BoltFileBuilder.number(UInt64(element.key.count), 4)
            heads += BoltFileBuilder.number(UInt64(element.value.count), 4)
            data += element.key + element.value
        }
        return heads + data
    }

    /// One level of branch pages over pages with their first keys.
    private mutating func branches(over level: [(key: [UInt8], page: UInt64)]) -> [(
        key: [UInt8], page: UInt64
    )] {
        var above: [(key: [UInt8], page: UInt64)] = []
        var rest = level[...]
        while !rest.isEmpty {
            var count = 0
            var bytes = 16
            for child in rest {
                bytes += 16 + child.key.count
                if count >= 2, bytes > pageSize { break }
                count += 1
            }
            // A branch page has two children at least.
            if rest.count - count == 1 { count = count > 2 ? count - 1 : count + 1 }
            let children = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
            var heads: [UInt8] = []
            var keys: [UInt8] = []
            for (index, child) in children.enumerated() {
                let position = (children.count - index) * 16 + keys.count
                heads += BoltFileBuilder.number(UInt64(position), 4)
                heads += BoltFileBuilder.number(UInt64(child.key.count), 4)
                heads += BoltFileBuilder.number(child.page, 8)
                keys += child.key
            }
            above.append((children[0].key, page(kind: 1, count: UInt16(children.count), body: heads + keys)))
        }
        return above
    }

    /// Writes a page, with as many behind it as it needs, where neither this transaction nor the last one has any.
    mutating func page(kind: UInt16, count: UInt16, body: [UInt8]) -> UInt64 {
        let length = (16 + body.count + pageSize - 1) / pageSize
        let id = allocate(UInt64(length))
        let overflow = UInt32(length - 1)
        writes.append(
            BoltFileBuilder.Write(
                offset: Int(id) * pageSize, bytes: BoltFileBuilder.header(id, kind, count, overflow) + body))
        return id
    }

    private mutating func allocate(_ count: UInt64) -> UInt64 {
        var id: UInt64 = 2
        while id < next, !(id..<(id + count)).allSatisfy({ $0 >= next || isFree($0) }) { id += 1 }
        used.formUnion(id..<(id + count))
        next = max(next, id + count)
        return id
    }

    private func isFree(_ id: UInt64) -> Bool {
        !taken.contains(id) && !used.contains(id)
    }
}
