/// Files that have no name any more but that processes hold open or mapped, over a set of them.
///
/// They take blocks that `df` counts and that no walk of a directory sees.
public struct DeletedOpen: Hashable, Sendable {
    public struct File: Hashable, Sendable {
        /// A process that holds it, as the host numbers it.
        public var processID: Int32
        /// How many processes hold it.
        public var processes: Int
        /// That process's name, escaped for printing; it chose it itself.
        public var command: String
        /// Its last path as its container saw it, escaped for printing.
        public var path: String
        public var diskBytes: Int64
        public var sizeBytes: Int64

        public init(
            processID: Int32, processes: Int, command: String, path: String, diskBytes: Int64,
            sizeBytes: Int64
        ) {
            self.processID = processID
            self.processes = processes
            self.command = command
            self.path = path
            self.diskBytes = diskBytes
            self.sizeBytes = sizeBytes
        }
    }

    /// How many files are named.
    public static let fileLimit = 16

    /// Each file once; ``Measure/inodes`` is how many there are.
    public private(set) var measure = Measure.zero
    /// Allocated bytes beside those in ``measure`` that may be these files', or an image's.
    public private(set) var uncertainBytes: Int64 = 0
    /// The largest, the largest first.
    public private(set) var files: [File] = []

    public init() {}

    /// Adds a file that was not added yet.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - isUncertain: Whether its blocks may be those of an image's layer.
    public mutating func add(_ file: File, isUncertain: Bool = false) {
        if isUncertain {
            uncertainBytes = uncertainBytes.addingClamped(file.diskBytes)
            return
        }
        measure += Measure(diskBytes: file.diskBytes, sizeBytes: file.sizeBytes, inodes: 1)
        let place = files.firstIndex { Self.order(file) > Self.order($0) } ?? files.endIndex
        guard place < Self.fileLimit else { return }
        files.insert(file, at: place)
        if files.count > Self.fileLimit { files.removeLast() }
    }

    private static func order(_ file: File) -> (Int64, Int64, Int32, String) {
        (file.diskBytes, file.sizeBytes, file.processID, file.path)
    }
}

/// What one look at the open files of the host's processes found.
public struct DeletedOpenReport: Hashable, Sendable {
    public enum Completeness: Hashable, Sendable {
        /// Nothing could be looked at; there may be any number of such files.
        case unknown(reason: String)
        /// There may be more than was found.
        case atLeast(reason: String)
        case complete

        public var reason: String? {
            switch self {
            case .unknown(let reason), .atLeast(let reason): reason
            case .complete: nil
            }
        }

        public var isKnown: Bool {
            if case .unknown = self { false } else { true }
        }
    }

    public var completeness: Completeness
    /// What lies in each layer's file tree, as far as that can be told.
    public var byLayer: [LayerKey: DeletedOpen]
    /// All on each file system that holds a store, those of layers included; by `st_dev`.
    public var byDevice: [UInt64: DeletedOpen]

    public init(
        _ completeness: Completeness, byLayer: [LayerKey: DeletedOpen] = [:],
        byDevice: [UInt64: DeletedOpen] = [:]
    ) {
        self.completeness = completeness
        self.byLayer = byLayer
        self.byDevice = byDevice
    }
}
