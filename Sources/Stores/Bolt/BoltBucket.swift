/// A bucket of a parsed database: its elements in the order of their keys.
struct BoltBucket: RandomAccessCollection, Sendable {
    /// What a key stands for.
    enum Value: Sendable {
        case bytes(ArraySlice<UInt8>)
        case bucket(BoltBucket)
    }

    typealias Element = (key: ArraySlice<UInt8>, value: Value)

    let content: BoltContent
    let index: Int

    private var entries: [BoltContent.Entry] { content.buckets[index].entries }
    /// The number that the bucket last gave out.
    var sequence: UInt64 { content.buckets[index].sequence }
    var startIndex: Int { 0 }
    var endIndex: Int { entries.count }

    subscript(position: Int) -> Element {
        let entry = entries[position]
        return (key(of: entry), value(of: entry))
    }

    /// The value under a key; `nil` where there is none, or a bucket.
    func value(_ key: some Sequence<UInt8>) -> ArraySlice<UInt8>? {
        if case .bytes(let bytes)? = find(Array(key)) { bytes } else { nil }
    }

    func value(_ key: String) -> ArraySlice<UInt8>? {
        value(key.utf8)
    }

    /// The bucket under a key; `nil` where there is none, or a plain value.
    func bucket(_ key: some Sequence<UInt8>) -> BoltBucket? {
        if case .bucket(let bucket)? = find(Array(key)) { bucket } else { nil }
    }

    func bucket(_ key: String) -> BoltBucket? {
        bucket(key.utf8)
    }

    private func find(_ wanted: [UInt8]) -> Value? {
        let entries = entries
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if key(of: entries[middle]).lexicographicallyPrecedes(wanted) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low < entries.count, key(of: entries[low]).elementsEqual(wanted) else { return nil }
        return value(of: entries[low])
    }

    private func key(of entry: BoltContent.Entry) -> ArraySlice<UInt8> {
        content.bytes[Int(entry.key)..<(Int(entry.key) + Int(entry.keyCount))]
    }

    private func value(of entry: BoltContent.Entry) -> Value {
        if let bucket = entry.bucket { return .bucket(BoltBucket(content: content, index: Int(bucket))) }
        return .bytes(content.bytes[Int(entry.value)..<(Int(entry.value) + Int(entry.valueCount))])
    }
}
