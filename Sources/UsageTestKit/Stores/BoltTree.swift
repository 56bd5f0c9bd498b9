/// What a bbolt database holds, as a test puts it together: a bucket by keys.
public struct BoltTree: Hashable, Sendable {
    public indirect enum Node: Hashable, Sendable {
        case value([UInt8])
        case bucket(BoltTree)
    }

    public var sequence: UInt64
    public var nodes: [[UInt8]: Node]

    public init(sequence: UInt64 = 0, nodes: [[UInt8]: Node] = [:]) {
        self.sequence = sequence
        self.nodes = nodes
    }

    /// The bucket or value under a path of keys; buckets on the way are made where a value is set.
    public subscript(path: String...) -> Node? {
        get { self[path.map { Array($0.utf8) }[...]] }
        set { self[path.map { Array($0.utf8) }[...]] = newValue }
    }

    public subscript(path: ArraySlice<[UInt8]>) -> Node? {
        get {
            guard let first = path.first else { return .bucket(self) }
            guard path.count > 1 else { return nodes[first] }
            guard case .bucket(let inner)? = nodes[first] else { return nil }
            return inner[path.dropFirst()]
        }
        set {
            guard let first = path.first else { return }
            guard path.count > 1 else {
                nodes[first] = newValue
                return
            }
            var inner = BoltTree()
            if case .bucket(let known)? = nodes[first] { inner = known } else if newValue == nil { return }
            inner[path.dropFirst()] = newValue
            nodes[first] = .bucket(inner)
        }
    }
}

extension BoltTree.Node {
    public static func text(_ text: String) -> Self { .value(Array(text.utf8)) }

    /// Go's `binary.PutUvarint`.
    public static func unsigned(_ number: UInt64) -> Self { .value(encode(number)) }

    /// Go's `binary.PutVarint`.
    public static func signed(_ number: Int64) -> Self {
        .value(encode(UInt64(bitPattern: (number << 1) ^ (number >> 63))))
    }

    public static func encode(_ number: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
