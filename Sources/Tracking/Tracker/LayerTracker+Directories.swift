internal import Accounting
internal import Kernel
internal import SystemPackage

// Opening directories below the root, as what they are known to be.
extension LayerTracker {
    /// Opens the layer's directory; returns whether it is the one that is known.
    ///
    /// It may be another: a mount can cover it or be taken away, and one above it can be renamed, without an event.
    func openRoot() throws(Failure) -> Bool {
        let status: FileStatus
        do {
            let handle = try fileSystem.openRoot()
            status = try fileSystem.status(of: handle)
            opened = OpenAncestors(root: status.identity.inode, handle)
        } catch {
            throw .unreadable(error)
        }
        return tree?.root == status.identity.inode && tree?.device == status.identity.device
    }

    /// Marks everything where the layer's path leads to another directory by now, or to none.
    ///
    /// Where something is marked the next batch finds that out.
    package func lookAtRoot() {
        forgetTold()
        guard tree != nil, !hasPending, !hasRestats else { return }
        let found = try? fileSystem.rootIdentity()
        if found?.inode != tree?.root || found?.device != tree?.device { lookAgain() }
    }

    /// Runs `body` with a directory, open and known to be the one that is meant; returns whether it was.
    @discardableResult
    func withDirectory(
        _ directory: UInt64, _ body: (FileSystem.Handle) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        guard tree?.hasDirectory(directory) == true else { return false }
        let handle: FileSystem.Handle
        let status: FileStatus
        do {
            handle = try open(directory, through: &opened)
            status = try fileSystem.status(of: handle)
        } catch {
            guard error.leadsElsewhere else { throw .unreadable(error) }
            return false
        }
        guard status.identity.inode == directory, status.identity.device == tree?.device,
            status.links > 0 || directory != tree?.root
        else {
            opened?.forgetLast()
            return false
        }
        guard let depth = opened?.depth, depth <= depthLimit else {
            throw .untrackable(
                reason: "it is more than \(depthLimit) levels deep, and is counted in passes")
        }
        try body(handle)
        // Names that come and go change the directory itself; it is looked at last, with all of them in it.
        if let status = try? fileSystem.status(of: handle) {
            let change = tree?.setDirectory(directory, allocated: status.allocated) ?? 0
            if change != 0, let record = tree?.directory(directory) {
                growth.note(
                    Place(directory: record.parent, name: record.name), change,
                    isRoot: directory == tree?.root)
            }
        }
        return true
    }

    /// Opens a directory by way of those above it, below the root of what is opened.
    func open(
        _ directory: UInt64, through opened: inout OpenAncestors<UInt64, FileSystem.Handle>?
    ) throws(KernelError) -> FileSystem.Handle {
        var levels = 0
        let handle = try opened?.open(directory) { [tree] in
            levels += 1
            guard let tree, let record = tree.directory($0), tree.isAttached($0),
                levels <= tree.directories.count
            else { return nil }
            return (record.parent, record.name)
        } by: { [fileSystem] (path, handle) throws(KernelError) in
            try fileSystem.open(path, below: handle)
        }
        guard let handle else { throw KernelError(call: "openat2", errno: .noSuchFileOrDirectory) }
        return handle
    }
}
