/// Identifies an inode of this host.
public struct InodeKey: Hashable, Sendable, Comparable {
    public var device: UInt64
    public var inode: UInt64

    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    public static func < (left: InodeKey, right: InodeKey) -> Bool {
        (left.device, left.inode) < (right.device, right.inode)
    }
}

/// What one look at a layer's directory found.
public struct LayerMeasure: Hashable, Sendable {
    /// All distinct inodes of the directory, itself included, each charged once.
    public var total: Measure
    /// The inodes among them that also have names outside the directory, with what each takes.
    ///
    /// They have more links than were seen in it, so another layer may share them. Whiteouts, which cost nothing,
    /// are left out.
    public var linkedOutside: [InodeKey: Measure]

    public init(total: Measure, linkedOutside: [InodeKey: Measure] = [:]) {
        self.total = total
        self.linkedOutside = linkedOutside
    }

    public static let empty = LayerMeasure(total: .zero)
}

/// How far a figure can be trusted, from the best down.
public enum Confidence: Hashable, Sendable {
    /// Every change up to now is in the figure.
    case exact
    /// Changes are known that are not in the figure yet.
    case converging
    /// No events come for it; it is looked at each `seconds`.
    case polling(reason: String, seconds: Int)
    /// It could not be looked at; the figure is the last known.
    case stale(reason: String)
    /// The object's metadata is wrong.
    case damaged(reason: String)

    /// The word that the contract has for it.
    public var word: String {
        switch self {
        case .exact: "exact"
        case .converging: "converging"
        case .polling: "polling"
        case .stale: "stale"
        case .damaged: "damaged"
        }
    }

    public var reason: String? {
        switch self {
        case .exact, .converging: nil
        case .polling(let reason, _), .stale(let reason), .damaged(let reason): reason
        }
    }

    /// Whether it is neither exact nor about to be.
    public var isTrouble: Bool {
        switch self {
        case .exact, .converging: false
        case .polling, .stale, .damaged: true
        }
    }

    /// The worse of two.
    public func worse(_ other: Confidence) -> Confidence {
        other.rank > rank ? other : self
    }

    /// The higher, the worse.
    var rank: Int {
        switch self {
        case .exact: 0
        case .converging: 1
        case .polling: 2
        case .stale: 3
        case .damaged: 4
        }
    }
}

/// By how much one path of a writable layer grew or shrank.
public struct PathGrowth: Hashable, Sendable, Codable {
    /// The path below the layer's directory, starting with `/`, escaped for printing.
    public var path: String
    /// Allocated bytes, negative where it shrank.
    public var diskBytes: Int64

    public init(path: String, diskBytes: Int64) {
        self.path = path
        self.diskBytes = diskBytes
    }
}
