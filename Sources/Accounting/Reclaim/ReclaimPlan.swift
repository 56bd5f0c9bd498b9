/// What the file systems would gain if exactly some objects went.
public struct ReclaimPlan: Hashable, Sendable {
    /// An object that would go, with what is told with it.
    public struct Item: Hashable, Sendable {
        public var target: ReclaimTarget
        public var name: String
        public var measure: Measure
        /// It was not asked for but goes with what was.
        public var isImplied: Bool
    }

    /// What stays though it was asked for, or is part of what was.
    public struct Stay: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable {
            case image, volume, layer, file
        }

        public var kind: Kind
        public var store: StoreIdentity
        public var id: String
        public var measure: Measure
        public var reason: String
    }

    /// Bytes that come free in one directory.
    public struct Piece: Hashable, Sendable {
        public var store: StoreIdentity
        public var directory: String
        public var diskBytes: Int64
    }

    public internal(set) var items: [Item] = []
    public internal(set) var stays: [Stay] = []
    public internal(set) var pieces: [Piece] = []
    public internal(set) var total = Measure.zero
    /// Why the figures may be wrong, one line each; empty where all are exact.
    public internal(set) var doubts: [String] = []
}
