import Kernel

/// A meta page of a bbolt database: which transaction the file holds, and where its root is.
///
/// There are two, pages 0 and 1; each transaction writes the one that the last did not. Layout: `internal/common/meta.go`
/// of etcd-io/bbolt.
struct BoltMeta: Hashable, Sendable {
    /// Bytes from the page's beginning to the end of what is read here.
    static let extent = 16 + 64

    let pageSize: Int
    let root: UInt64
    let sequence: UInt64
    /// The first page behind all that were ever used.
    let highWater: UInt64
    let transaction: UInt64
    let checksum: UInt64

    /// Parses the page that begins at `offset`; `nil` where it is not whole.
    init?(_ bytes: [UInt8], at offset: Int) {
        guard offset >= 0, bytes.count >= Self.extent, offset <= bytes.count - Self.extent else { return nil }
        let start = offset + 16
        let page = bytes.littleEndian(at: start + 8, as: UInt32.self)
        guard bytes.littleEndian(at: start, as: UInt32.self) == 0xED0C_DAED,
            bytes.littleEndian(at: start + 4, as: UInt32.self) == 2,
            (512...(1 << 20)).contains(page), page.nonzeroBitCount == 1
        else { return nil }
        checksum = bytes.littleEndian(at: start + 56, as: UInt64.self)
        var hash = FNV1a()
        hash.add(bytes[start..<(start + 56)])
        guard hash.value == checksum else { return nil }
        pageSize = Int(page)
        root = bytes.littleEndian(at: start + 16, as: UInt64.self)
        sequence = bytes.littleEndian(at: start + 24, as: UInt64.self)
        highWater = bytes.littleEndian(at: start + 40, as: UInt64.self)
        transaction = bytes.littleEndian(at: start + 48, as: UInt64.self)
    }

    /// Where the second meta page may begin: it depends on the page size, which the first one says.
    static let secondOffsets = (9...20).map { 1 << $0 }

    /// The newest transaction whose meta page is whole, which is what bbolt itself takes.
    ///
    /// `bytes` are the file from its beginning on; a few more than the second meta page are enough.
    static func newest(in bytes: [UInt8]) -> BoltMeta? {
        let first = BoltMeta(bytes, at: 0)
        let offsets = first.map { [$0.pageSize] } ?? secondOffsets
        let second = offsets.lazy.compactMap { offset in
            BoltMeta(bytes, at: offset).flatMap { $0.pageSize == offset ? $0 : nil }
        }.first
        guard let first, let second else { return first ?? second }
        return second.transaction > first.transaction ? second : first
    }
}

extension [UInt8] {
    func littleEndian<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
        precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= count)
        return withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type)) }
    }
}
