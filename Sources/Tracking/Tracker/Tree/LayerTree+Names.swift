internal import Accounting
internal import Kernel

// Names that go.
extension LayerTree {
    enum Removed {
        case nothing
        /// The file is gone from the layer, or has other names in it.
        case file(inode: UInt64, links: UInt32, remainingNames: Int, change: Int64)
        /// The directory still counts until it is attached elsewhere or dropped.
        case directory(inode: UInt64)
    }

    /// Takes a name away.
    mutating func removeName(_ place: Place) -> Removed {
        guard let directory = directories.slot(of: place.directory),
            let slot = directories[directory].entries.slot(of: place.name)
        else { return .nothing }
        let inode = directories[directory].entries.inode(at: slot)
        let removed = forget(NameReference(directory: place.directory, slot: slot), of: inode)
        removeEntry(slot, of: place.directory)
        guard case .nothing = removed, let record = self.directory(inode), record.parent == place.directory,
            record.name == place.name
        else { return removed }
        return .directory(inode: inode)
    }

    /// Takes a file away with all its names: its inode number belongs to another by now.
    ///
    /// Returns by how many allocated bytes the layer changed.
    mutating func dropFile(_ inode: UInt64) -> Int64 {
        guard let file = files.slot(of: inode) else { return 0 }
        let allocated = files[file].allocated
        while let file = files.slot(of: inode) {
            let name = files[file].name
            _ = forget(name, of: inode)
            removeEntry(Int(name.slot), of: name.directory)
        }
        return -allocated
    }

    /// Takes an entry out of a directory; nobody refers to it any more.
    mutating func removeEntry(_ slot: Int, of directory: UInt64) {
        guard let index = directories.slot(of: directory),
            let moved = directories[index].entries.remove(at: slot)
        else { return }
        // The last one has the slot now.
        let old = NameReference(directory: directory, slot: directories[index].entries.count)
        let new = NameReference(directory: directory, slot: slot)
        guard let file = files.slot(of: moved) else { return }
        if files[file].name == old { files[file].name = new }
        if !names.isEmpty, names[moved]?.remove(old) != nil { names[moved]?.insert(new) }
    }

    /// Takes a name from a file, and the file away with its last one; the directory keeps the entry.
    mutating func forget(_ name: NameReference, of inode: UInt64) -> Removed {
        guard let file = files.slot(of: inode) else { return .nothing }
        let record = files[file]
        guard !names.isEmpty, names[inode] != nil else {
            files.remove(inode)
            forgetLinks(of: inode)
            diskBytes -= Int128(record.allocated)
            sizeBytes -= Int128(record.size)
            return .file(
                inode: inode, links: record.links, remainingNames: 0, change: -record.allocated)
        }
        names[inode]?.remove(name)
        furtherNames -= 1
        names[inode]?.giveBack()
        let remaining = names[inode]?.count ?? 0
        if record.name == name, let other = names[inode]?.first { files[file].name = other }
        if remaining == 1 {
            names[inode] = nil
            names.giveBack()
        }
        noteLinks(of: inode, files[file])
        return .file(inode: inode, links: record.links, remainingNames: remaining, change: 0)
    }
}
