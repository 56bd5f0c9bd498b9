/// The content of a bbolt database at one transaction, parsed from a copy of the file.
///
/// All of it is checked at once: each page is reached once, holds what its kind says, within its bounds, with keys in
/// order. A file that breaks any of this is refused as a whole, since what a broken page hides would look like what
/// was removed. Checksums cover the meta pages only: a value, a key that stays in order, or a kind of element that
/// changed on the disk and still makes sense is not found here.
///
/// Layout: `internal/common` of etcd-io/bbolt.
struct BoltSnapshot: Sendable {
    /// Pages from the root of the database to an element, buckets in buckets included.
    static let maximumDepth = 64
    static let maximumEntries = 4_000_000

    let meta: BoltMeta
    /// The bucket that holds all others.
    let root: BoltBucket

    /// Parses the newest transaction of the file's bytes, which may end behind the last page in use.
    init(_ bytes: [UInt8]) throws(BoltFault) {
        guard let meta = BoltMeta.newest(in: bytes) else { throw .noMeta }
        try self.init(bytes, of: meta)
    }

    /// Parses the transaction whose meta page is known.
    init(_ bytes: [UInt8], of meta: BoltMeta) throws(BoltFault) {
        guard bytes.count <= Int(UInt32.max) else { throw .tooMany("it is larger than 4 GiB") }
        self.meta = meta
        var parser = BoltParser(bytes: bytes, meta: meta)
        let root = try parser.bucket(at: meta.root, sequence: meta.sequence, depth: 0)
        self.root = BoltBucket(content: BoltContent(bytes: bytes, buckets: parser.buckets), index: root)
    }
}

/// What a parsed database holds; shared by the views of its buckets.
final class BoltContent: Sendable {
    /// An element of a leaf page, by offsets into the file.
    struct Entry: Sendable {
        let key: UInt32
        let keyCount: UInt32
        let value: UInt32
        let valueCount: UInt32
        /// The bucket that the value is.
        let bucket: Int32?
    }

    struct Bucket: Sendable {
        let sequence: UInt64
        var entries: [Entry] = []
    }

    let bytes: [UInt8]
    let buckets: [Bucket]

    init(bytes: [UInt8], buckets: [Bucket]) {
        self.bytes = bytes
        self.buckets = buckets
    }
}
