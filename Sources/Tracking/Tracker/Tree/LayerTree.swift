internal import Accounting
internal import Kernel

/// What is known of a layer's directory: its directories and files by inode number, and their sum.
///
/// Pure bookkeeping of one device. Directories refer to each other by inode number and never own each other, so
/// that ten thousand levels are no deeper for the stack than one. Names are in the entries of their directory alone;
/// a file refers to them by slots.
struct LayerTree {
    struct DirectoryRecord {
        var parent: UInt64
        var name: FileName
        var allocated: Int64
        /// -1 where there is none.
        var watch: Int32
        /// The look at everything by which all of it was last listed.
        var look: UInt32 = 0
    }

    struct Directory {
        var record: DirectoryRecord
        var entries = EntryTable()
    }

    struct FileRecord {
        var size: Int64
        var allocated: Int64
        /// One of its names.
        var name: NameReference
        /// `st_nlink` when it was last looked at.
        var links: UInt32
    }

    let root: UInt64
    let device: UInt64
    private let countsRoot: Bool
    var directories = InodeTable<Directory>()
    var files = InodeTable<FileRecord>()
    /// All names of files with more than one in this layer.
    var names: [UInt64: Set<NameReference>] = [:]
    private(set) var linkedOutside: [InodeKey: Measure] = [:]
    /// Files with names outside of this layer whose figure changed, those included that were just found to be so.
    private var changedLinks: Set<UInt64> = []
    // Wide enough for any number of the largest files there can be, so that what was added can be taken away.
    var diskBytes: Int128 = 0
    var sizeBytes: Int128 = 0

    init(root status: FileStatus, watch: Int32, countsRoot: Bool) {
        self.countsRoot = countsRoot
        root = status.identity.inode
        device = status.identity.device
        let record = DirectoryRecord(
            parent: 0, name: FileName(bytes: []), allocated: status.allocated, watch: watch)
        directories.insert(Directory(record: record), of: root)
        diskBytes = Int128(status.allocated)
    }

    /// Names of files beyond the first of each.
    var furtherNames = 0

    var measure: LayerMeasure {
        LayerMeasure(
            total: Measure(
                diskBytes: Int64(clamping: diskBytes), sizeBytes: Int64(clamping: sizeBytes),
                inodes: Int64(inodeCount - (countsRoot ? 0 : 1))),
            linkedOutside: linkedOutside)
    }

    var inodeCount: Int { directories.count + files.count }

    /// Entries of all directories: what memory goes with.
    ///
    /// A container can give a file names without end.
    var nameCount: Int { inodeCount + furtherNames }

    func hasFile(_ inode: UInt64) -> Bool { files.contains(inode) }

    func child(at place: Place) -> UInt64? {
        guard let directory = directories.slot(of: place.directory),
            let entry = directories[directory].entries.slot(of: place.name)
        else { return nil }
        return directories[directory].entries.inode(at: entry)
    }

    /// One name of a file.
    func place(ofFile inode: UInt64) -> Place? {
        guard let file = files.slot(of: inode) else { return nil }
        let name = files[file].name
        guard let directory = directories.slot(of: name.directory) else { return nil }
        return Place(
            directory: name.directory, name: directories[directory].entries.name(at: Int(name.slot)))
    }

    // MARK: Files

    /// Takes a name's file as it was found; returns by how many allocated bytes the layer changed.
    mutating func setFile(_ status: FileStatus, at place: Place) -> Int64 {
        let inode = status.identity.inode
        guard let directory = directories.slot(of: place.directory) else { return 0 }
        var entry = directories[directory].entries.slot(of: place.name)
        if let slot = entry, directories[directory].entries.inode(at: slot) != inode {
            _ = removeName(place)
            entry = nil
        }
        var known = files.slot(of: inode)
        if known == nil || entry == nil {
            let name = NameReference(
                directory: place.directory,
                slot: entry ?? directories[directory].entries.append(place.name, inode))
            if let known {
                let other = files[known].name
                names[inode, default: [other]].insert(name)
                furtherNames += 1
            } else {
                known = files.insert(FileRecord(size: 0, allocated: 0, name: name, links: 0), of: inode)
            }
        }
        guard let file = known else { return 0 }
        let change = status.allocated.subtractingClamped(files[file].allocated)
        diskBytes += Int128(status.allocated) - Int128(files[file].allocated)
        sizeBytes += Int128(status.size) - Int128(files[file].size)
        files[file].size = status.size
        files[file].allocated = status.allocated
        files[file].links = status.links
        noteLinks(of: inode, files[file])
        return change
    }

    /// Takes note of whether a file has names outside of the layer.
    mutating func noteLinks(of inode: UInt64, _ record: FileRecord) {
        if record.links > 1, Int(record.links) > nameCount(of: inode) {
            let measure = Measure(diskBytes: record.allocated, sizeBytes: record.size, inodes: 1)
            let key = InodeKey(device: device, inode: inode)
            // Reports share it: to change what is so already would copy all of it.
            guard linkedOutside[key] != measure else { return }
            linkedOutside[key] = measure
            changedLinks.insert(inode)
        } else {
            forgetLinks(of: inode)
        }
    }

    mutating func forgetLinks(of inode: UInt64) {
        guard isLinkedOutside(inode) else { return }
        linkedOutside[InodeKey(device: device, inode: inode)] = nil
        linkedOutside.giveBack()
    }

    private func nameCount(of inode: UInt64) -> Int {
        names.isEmpty ? 1 : names[inode]?.count ?? 1
    }

    func isLinkedOutside(_ inode: UInt64) -> Bool {
        !linkedOutside.isEmpty && linkedOutside[InodeKey(device: device, inode: inode)] != nil
    }

    mutating func takeChangedLinks() -> Set<UInt64> {
        defer { changedLinks = [] }
        return changedLinks
    }
}
