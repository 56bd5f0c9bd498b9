internal import Accounting
internal import Kernel
internal import SystemPackage

// Opening directories below the root, as what they are known to be.
extension LayerTracker {
    /// Runs `body` with a directory, open and known to be the one that is meant; returns whether it was.
    @discardableResult
    func withDirectory(
        _ directory: UInt64, _ body: (FileSystem.Handle) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        guard let rootHandle, tree?.directories[directory] != nil else { return false }
        let handle: FileSystem.Handle
        let status: FileStatus
        do {
            handle = try open(directory, below: rootHandle, through: &recent)
            status = try fileSystem.status(of: handle)
        } catch {
            guard error.leadsElsewhere else { throw .unreadable(error) }
            return false
        }
        guard status.identity.inode == directory, status.links > 0 || directory != tree?.root else {
            return false
        }
        recent.add(directory, handle)
        try body(handle)
        // Names that come and go change the directory itself; it is looked at last, with all of them in it.
        if let status = try? fileSystem.status(of: handle) {
            let change = tree?.setDirectory(directory, allocated: status.allocated) ?? 0
            if change != 0, let record = tree?.directories[directory] {
                growth.note(
                    Place(directory: record.parent, name: record.name), change,
                    isRoot: directory == tree?.root)
            }
        }
        return true
    }

    /// Opens a directory from the nearest one above it that is still open, so that a tree of any depth is walked in a
    /// time that its size alone decides.
    func open(
        _ directory: UInt64, below root: FileSystem.Handle,
        through recent: inout RecentHandles<FileSystem.Handle>
    ) throws(KernelError) -> FileSystem.Handle {
        var names: [FileName] = []
        var current = directory
        while current != tree?.root {
            if current != directory, let above = recent.use(current) {
                return try fileSystem.open(names.reversed(), below: above)
            }
            guard let record = tree?.directories[current], tree?.isAttached(current) == true,
                names.count <= tree?.directories.count ?? 0
            else {
                throw KernelError(call: "openat2", errno: .noSuchFileOrDirectory)
            }
            names.append(record.name)
            current = record.parent
        }
        return names.isEmpty ? root : try fileSystem.open(names.reversed(), below: root)
    }
}
