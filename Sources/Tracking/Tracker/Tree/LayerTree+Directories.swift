internal import Accounting
internal import Kernel

extension LayerTree {
    func hasDirectory(_ inode: UInt64) -> Bool { directories.contains(inode) }

    func directory(_ inode: UInt64) -> DirectoryRecord? {
        directories.slot(of: inode).map { directories[$0].record }
    }

    /// The directories in a directory.
    func subdirectories(of inode: UInt64) -> [UInt64] {
        guard let directory = directories.slot(of: inode) else { return [] }
        return (0..<directories[directory].entries.count).lazy
            .map { directories[directory].entries.inode(at: $0) }.filter { directories.contains($0) }
    }

    /// The names known in a directory that are not among those that were found.
    func names(in inode: UInt64, without found: [FileName]) -> [FileName] {
        guard let directory = directories.slot(of: inode) else { return [] }
        var isMissing = [Bool](repeating: true, count: directories[directory].entries.count)
        guard !isMissing.isEmpty else { return [] }
        for name in found {
            if let slot = directories[directory].entries.slot(of: name) { isMissing[slot] = false }
        }
        return isMissing.indices.filter { isMissing[$0] }.map { directories[directory].entries.name(at: $0) }
    }

    /// The names that lead from the layer's directory to one below; `nil` where it hangs loose, as in the middle
    /// of renames that are only partly known.
    func path(of directory: UInt64) -> [FileName]? {
        var names: [FileName] = []
        var current = directory
        while current != root {
            guard let record = self.directory(current), names.count <= directories.count,
                isAttached(current)
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
            while depths[current] == nil, let record = self.directory(current),
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

    /// Enters a directory that was not known.
    mutating func addDirectory(_ status: FileStatus, at place: Place, watch: Int32) {
        let record = DirectoryRecord(
            parent: place.directory, name: place.name, allocated: status.allocated, watch: watch)
        directories.insert(Directory(record: record), of: status.identity.inode)
        setEntry(place, status.identity.inode)
        diskBytes += Int128(status.allocated)
    }

    /// Hangs a known directory, with all that is below it, at another place.
    mutating func moveDirectory(_ inode: UInt64, to place: Place) {
        guard let slot = directories.slot(of: inode) else { return }
        removeEntry(ofDirectory: inode)
        directories[slot].record.parent = place.directory
        directories[slot].record.name = place.name
        setEntry(place, inode)
    }

    /// Whether a directory hangs where it says it does.
    func isAttached(_ inode: UInt64) -> Bool {
        guard let record = directory(inode) else { return false }
        return inode == root || child(at: Place(directory: record.parent, name: record.name)) == inode
    }

    mutating func setDirectory(_ inode: UInt64, allocated: Int64) -> Int64 {
        guard let slot = directories.slot(of: inode) else { return 0 }
        let before = directories[slot].record.allocated
        directories[slot].record.allocated = allocated
        diskBytes += Int128(allocated) - Int128(before)
        return allocated.subtractingClamped(before)
    }

    mutating func setListed(_ inode: UInt64, by look: UInt32) {
        if let slot = directories.slot(of: inode) { directories[slot].record.look = look }
    }

    mutating func setWatch(_ watch: Int32, of inode: UInt64) {
        if let slot = directories.slot(of: inode) { directories[slot].record.watch = watch }
    }

    /// Takes a directory away with all below it; calls `body` with the watch of each, and `other` with each file that
    /// keeps names elsewhere.
    ///
    /// Returns by how many allocated bytes the layer changed.
    mutating func dropDirectory(
        _ inode: UInt64, _ body: (UInt64, Int32) -> Void, other: (UInt64) -> Void
    ) -> Int64 {
        let before = diskBytes
        if inode != root { removeEntry(ofDirectory: inode) }
        var stack = [inode]
        while let current = stack.popLast() {
            guard current != root, let gone = directories.remove(current) else { continue }
            for slot in 0..<gone.entries.count {
                let child = gone.entries.inode(at: slot)
                if let record = directory(child) {
                    if record.parent == current, record.name == gone.entries.name(at: slot) {
                        stack.append(child)
                    }
                } else if case .file(_, _, let remaining, _) = forget(
                    NameReference(directory: current, slot: slot), of: child), remaining > 0
                {
                    other(child)
                }
            }
            diskBytes -= Int128(gone.record.allocated)
            body(current, gone.record.watch)
        }
        return Int64(clamping: diskBytes - before)
    }

    // MARK: Entries

    private mutating func setEntry(_ place: Place, _ inode: UInt64) {
        if child(at: place) != nil { _ = removeName(place) }
        if let slot = directories.slot(of: place.directory) {
            directories[slot].entries.append(place.name, inode)
        }
    }

    /// Takes the entry of a directory out of the one above, if it is there.
    private mutating func removeEntry(ofDirectory inode: UInt64) {
        guard let record = directory(inode), let parent = directories.slot(of: record.parent),
            let slot = directories[parent].entries.slot(of: record.name),
            directories[parent].entries.inode(at: slot) == inode
        else { return }
        removeEntry(slot, of: record.parent)
    }
}
