internal import Kernel
internal import SystemPackage

/// A layer's directory as the kernel shows it, with the watches of one inotify instance.
struct KernelFileSystem: LayerFileSystem {
    /// Not `IN_EXCL_UNLINK`: a write by a name that is gone can be to a file that has another name.
    static let mask: InotifyEvent.Mask = [
        .modify, .attributes, .closeWrite, .create, .delete, .movedFrom, .movedTo, .deleteSelf, .moveSelf,
        .onlyDirectory,
    ]

    let path: String
    let watches: LayerWatches
    /// What is asked of each directory.
    var mask = Self.mask
    /// Where the layer is mounted, if watches are to be held there too.
    var merged: MergedMount?
    /// The entries of the root that count, where not all do; then the root itself does not.
    var selection: EntrySelection?

    var countsRoot: Bool { selection == nil }

    func openRoot() throws(KernelError) -> Directory {
        let root = try Directory.open(path: path, followingLast: false)
        selection?.root = root
        return root
    }

    func rootIdentity() throws(KernelError) -> FileStatus.Identity {
        try FileStatus.of(link: path).identity
    }

    func open(_ path: [FileName], below root: Directory) throws(KernelError) -> Directory {
        try root.openDescendant(path)
    }

    func status(of directory: Directory) throws(KernelError) -> FileStatus {
        let status = try directory.status()
        return selection?.isRoot(directory) == true ? status.costingNothing : status
    }

    func status(of name: FileName, in directory: Directory) throws(KernelError) -> FileStatus {
        guard selection?.leavesOut(name, in: directory) != true else {
            throw KernelError(call: "fstatat", path: name.escaped, errno: .noSuchFileOrDirectory)
        }
        return try directory.status(of: name)
    }

    func forEachEntry(in directory: Directory, _ body: (FileName) -> Void) throws(KernelError) {
        var listing = try DirectoryListing(of: directory, in: DirectoryListing.Buffer())
        while let entry = try listing.next() {
            let name = entry.name
            if selection?.leavesOut(name, in: directory) != true { body(name) }
        }
    }

    func watch(_ directory: Directory) throws(KernelError) -> Int32 {
        try watches.add(directory, mask: mask)
    }

    func settledFiles(of root: Directory) -> SettledFiles {
        guard let status = try? FileSystemStatus.of(path: path) else { return .none }
        switch status.type {
        case FileSystemMagic.tmpfs: return .all
        // Four extents fit into an inode of ext4; btrfs changes less.
        case FileSystemMagic.ext4, FileSystemMagic.btrfs:
            return SettledFiles(allocated: 4 * status.blockSize, block: status.blockSize)
        default: return .none
        }
    }

    func unwatch(_ watch: Int32) {
        merged?.noteRemoval(of: watch)
        watches.remove(watch)
    }

    func owns(_ watch: Int32) -> Bool { watches.owns(watch) }

    // MARK: The layer's mount

    var hasMount: Bool { merged?.isFollowed == true }

    func openMount() throws(KernelError) -> Directory? {
        try merged?.open()
    }

    func watchInMount(_ directory: Directory, isRoot: Bool) throws(KernelError) -> Int32 {
        guard let merged else { return try watch(directory) }
        return try merged.watch(directory, isRoot: isRoot)
    }
}

/// The watches of one layer in an inotify instance; used by one thread.
struct LayerWatches {
    let instance: InotifyInstance
    /// Takes note of which layer a watch belongs to.
    let owners: WatchOwners
    let budget: WatchBudget
    /// The layer's number, of the budget.
    let layer: Int

    func add(_ directory: Directory, mask: InotifyEvent.Mask) throws(KernelError) -> Int32 {
        let inotify = try instance.opened()
        let watch: Int32
        do {
            watch = try inotify.add(directory, mask: mask)
        } catch {
            if error.errno == .noSpace { budget.noteRefusal(of: layer) }
            throw error
        }
        // The same inode has the same watch, which is counted already.
        if let owner = owners.owner(of: watch) {
            if owner != layer { budget.move(from: owner, to: layer) }
        } else {
            guard budget.take(for: layer) == .granted else {
                inotify.remove(watch: watch)
                throw KernelError(
                    call: "inotify_add_watch",
                    errno: budget.isBoundByConfiguration ? .diskQuotaExceeded : .noSpace)
            }
        }
        owners.assign(watch, to: layer)
        return watch
    }

    func owns(_ watch: Int32) -> Bool { owners.owner(of: watch) == layer }

    func remove(_ watch: Int32) {
        // The directory may have moved to another layer, which then owns the watch.
        guard owners.release(watch, from: layer) else { return }
        instance.inotify?.remove(watch: watch)
        budget.give(for: layer)
    }
}

/// An inotify instance that is opened when it is first needed, and tried again where that failed; used by one
/// thread.
final class InotifyInstance {
    private(set) var inotify: Inotify?
    /// How many events it queues: what the kernel allowed when it was opened.
    private(set) var queueLength: Int?
    private let open: () throws(KernelError) -> Inotify
    private let allowedQueueLength: () -> Int?

    init(
        allowedQueueLength: @escaping () -> Int? = { nil },
        _ open: @escaping () throws(KernelError) -> Inotify
    ) {
        self.allowedQueueLength = allowedQueueLength
        self.open = open
    }

    func opened() throws(KernelError) -> Inotify {
        if let inotify { return inotify }
        // Before it is opened: raised meanwhile, it would never be taken for outgrown.
        let length = allowedQueueLength()
        let new = try open()
        (inotify, queueLength) = (new, length)
        return new
    }

    /// Opens another one in its place if that queues more; `letGo` is called between, to give all watches back.
    ///
    /// Returns whether it is another, which has no watches.
    func replaceIfOutgrown(_ letGo: () -> Void) -> Bool {
        guard let queueLength, let length = allowedQueueLength(), length > queueLength, let new = try? open()
        else { return false }
        letGo()
        (inotify, self.queueLength) = (new, length)
        return true
    }
}
