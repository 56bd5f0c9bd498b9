internal import Accounting
internal import Kernel

/// What is known of a layer's directory: its directories and files by inode number, and their sum.
///
/// Pure bookkeeping of one device. Directories refer to each other by inode number and never own each other, so
/// that ten thousand levels are no deeper for the stack than one.
struct LayerTree {
    struct DirectoryRecord {
        var parent: UInt64
        var name: FileName
        var allocated: Int64
        /// -1 where there is none.
        var watch: Int32
        var children: [FileName: UInt64] = [:]
        /// The look at everything by which all of it was last listed.
        var look: UInt32 = 0
    }

    struct FileRecord {
        var size: Int64
        var allocated: Int64
        /// `st_nlink` when it was last looked at.
        var links: UInt32
        /// How many names of it are in this layer.
        var names: Int
        /// One of those names.
        var place: Place
    }

    let root: UInt64
    let device: UInt64
    private let countsRoot: Bool
    private(set) var directories: [UInt64: DirectoryRecord] = [:]
    private(set) var files: [UInt64: FileRecord] = [:]
    /// All names of files with more than one in this layer.
    private var names: [UInt64: Set<Place>] = [:]
    private(set) var linkedOutside: [InodeKey: Measure] = [:]
    /// Files with names outside of this layer whose figure changed, those included that were just found to be so.
    private var changedLinks: Set<UInt64> = []
    // Wide enough for any number of the largest files there can be, so that what was added can be taken away.
    private var diskBytes: Int128 = 0
    private var sizeBytes: Int128 = 0

    init(root status: FileStatus, watch: Int32, countsRoot: Bool) {
        self.countsRoot = countsRoot
        root = status.identity.inode
        device = status.identity.device
        directories[root] = DirectoryRecord(
            parent: 0, name: FileName(bytes: []), allocated: status.allocated, watch: watch)
        diskBytes = Int128(status.allocated)
    }

    var measure: LayerMeasure {
        LayerMeasure(
            total: Measure(
                diskBytes: Int64(clamping: diskBytes), sizeBytes: Int64(clamping: sizeBytes),
                inodes: Int64(inodeCount - (countsRoot ? 0 : 1))),
            linkedOutside: linkedOutside)
    }

    var inodeCount: Int { directories.count + files.count }

    func child(at place: Place) -> UInt64? {
        directories[place.directory]?.children[place.name]
    }

    /// The names that lead from the layer's directory to one below; `nil` where it hangs loose, as in the middle
    /// of renames that are only partly known.
    func path(of directory: UInt64) -> [FileName]? {
        var names: [FileName] = []
        var current = directory
        while current != root {
            guard let record = directories[current], names.count <= directories.count,
                directories[record.parent]?.children[record.name] == current
            else { return nil }
            names.append(record.name)
            current = record.parent
        }
        return names.reversed()
    }

    /// Directories in an order in which each comes after those above it.
    func sortedByDepth(_ directories: some Sequence<UInt64>) -> [UInt64] {
        var depths: [UInt64: Int] = [root: 0]
        var result: [(depth: Int, directory: UInt64)] = []
        for directory in directories {
            var path: [UInt64] = []
            var current = directory
            while depths[current] == nil, let record = self.directories[current],
                path.count <= self.directories.count
            {
                path.append(current)
                current = record.parent
            }
            var depth = depths[current] ?? 0
            for step in path.reversed() {
                depth += 1
                depths[step] = depth
            }
            result.append((depths[directory] ?? 0, directory))
        }
        return result.sorted { ($0.depth, $0.directory) < ($1.depth, $1.directory) }.map(\.directory)
    }

    /// One name of a file.
    func place(ofFile inode: UInt64) -> Place? {
        files[inode]?.place
    }

    // MARK: Files

    /// Takes a name's file as it was found; returns by how many allocated bytes the layer changed.
    mutating func setFile(_ status: FileStatus, at place: Place) -> Int64 {
        let inode = status.identity.inode
        let known = files[inode]
        var record =
            known
            ?? FileRecord(size: 0, allocated: 0, links: 0, names: 0, place: place)
        if directories[place.directory]?.children[place.name] != inode {
            directories[place.directory]?.children[place.name] = inode
            if record.names == 1 { names[inode] = [record.place] }
            if record.names >= 1 { names[inode]?.insert(place) }
            record.names += 1
        }
        diskBytes += Int128(status.allocated) - Int128(record.allocated)
        sizeBytes += Int128(status.size) - Int128(record.size)
        let change = status.allocated.subtractingClamped(record.allocated)
        record.size = status.size
        record.allocated = status.allocated
        record.links = status.links
        set(record, for: inode)
        return change
    }

    private mutating func set(_ record: FileRecord, for inode: UInt64) {
        files[inode] = record
        let key = InodeKey(device: device, inode: inode)
        if Int(record.links) > record.names {
            let measure = Measure(diskBytes: record.allocated, sizeBytes: record.size, inodes: 1)
            if linkedOutside.updateValue(measure, forKey: key) != measure { changedLinks.insert(inode) }
        } else if !linkedOutside.isEmpty {
            linkedOutside[key] = nil
        }
    }

    func isLinkedOutside(_ inode: UInt64) -> Bool {
        !linkedOutside.isEmpty && linkedOutside[InodeKey(device: device, inode: inode)] != nil
    }

    mutating func takeChangedLinks() -> Set<UInt64> {
        defer { changedLinks = [] }
        return changedLinks
    }

    // MARK: Names

    enum Removed {
        case nothing
        /// The file is gone from the layer, or has other names in it.
        case file(inode: UInt64, links: UInt32, remainingNames: Int, change: Int64)
        /// The directory still counts until it is attached elsewhere or dropped.
        case directory(inode: UInt64)
    }

    /// Takes a name away.
    mutating func removeName(_ place: Place) -> Removed {
        guard let inode = directories[place.directory]?.children.removeValue(forKey: place.name) else {
            return .nothing
        }
        guard var record = files[inode] else {
            guard let directory = directories[inode], directory.parent == place.directory,
                directory.name == place.name
            else { return .nothing }
            return .directory(inode: inode)
        }
        record.names -= 1
        guard record.names > 0 else {
            files[inode] = nil
            names[inode] = nil
            if !linkedOutside.isEmpty { linkedOutside[InodeKey(device: device, inode: inode)] = nil }
            diskBytes -= Int128(record.allocated)
            sizeBytes -= Int128(record.size)
            return .file(
                inode: inode, links: record.links, remainingNames: 0, change: -record.allocated)
        }
        names[inode]?.remove(place)
        if let other = names[inode]?.first { record.place = other }
        if record.names == 1 { names[inode] = nil }
        set(record, for: inode)
        return .file(inode: inode, links: record.links, remainingNames: record.names, change: 0)
    }

    /// Takes a file away with all its names: its inode number belongs to another by now.
    ///
    /// Returns by how many allocated bytes the layer changed.
    mutating func dropFile(_ inode: UInt64) -> Int64 {
        guard let record = files[inode] else { return 0 }
        for place in names[inode] ?? [record.place] { _ = removeName(place) }
        return -record.allocated
    }

    // MARK: Directories

    /// Enters a directory that was not known.
    mutating func addDirectory(_ status: FileStatus, at place: Place, watch: Int32) {
        let inode = status.identity.inode
        directories[inode] = DirectoryRecord(
            parent: place.directory, name: place.name, allocated: status.allocated, watch: watch)
        directories[place.directory]?.children[place.name] = inode
        diskBytes += Int128(status.allocated)
    }

    /// Hangs a known directory, with all that is below it, at another place.
    mutating func moveDirectory(_ inode: UInt64, to place: Place) {
        guard let record = directories[inode] else { return }
        if directories[record.parent]?.children[record.name] == inode {
            directories[record.parent]?.children[record.name] = nil
        }
        directories[inode]?.parent = place.directory
        directories[inode]?.name = place.name
        directories[place.directory]?.children[place.name] = inode
    }

    /// Whether a directory hangs where it says it does.
    func isAttached(_ inode: UInt64) -> Bool {
        guard let record = directories[inode] else { return false }
        return inode == root || directories[record.parent]?.children[record.name] == inode
    }

    mutating func setDirectory(_ inode: UInt64, allocated: Int64) -> Int64 {
        guard let before = directories[inode]?.allocated else { return 0 }
        directories[inode]?.allocated = allocated
        diskBytes += Int128(allocated) - Int128(before)
        return allocated.subtractingClamped(before)
    }

    mutating func setListed(_ inode: UInt64, by look: UInt32) {
        directories[inode]?.look = look
    }

    mutating func setWatch(_ watch: Int32, of inode: UInt64) {
        directories[inode]?.watch = watch
    }

    /// Takes a directory away with all below it; calls `body` with the watch of each, and `other` with each file that
    /// keeps names elsewhere.
    ///
    /// Returns by how many allocated bytes the layer changed.
    mutating func dropDirectory(
        _ inode: UInt64, _ body: (UInt64, Int32) -> Void, other: (UInt64) -> Void
    ) -> Int64 {
        let before = diskBytes
        if inode != root, let record = directories[inode],
            directories[record.parent]?.children[record.name] == inode
        {
            directories[record.parent]?.children[record.name] = nil
        }
        var stack = [inode]
        while let current = stack.popLast() {
            guard current != root, let record = directories[current] else { continue }
            for (name, child) in record.children {
                if directories[child] != nil {
                    if directories[child]?.parent == current, directories[child]?.name == name {
                        stack.append(child)
                    }
                } else if case .file(let file, _, let remaining, _) = removeName(
                    Place(directory: current, name: name)), remaining > 0
                {
                    other(file)
                }
            }
            diskBytes -= Int128(record.allocated)
            directories[current] = nil
            body(current, record.watch)
        }
        return Int64(clamping: diskBytes - before)
    }
}
