internal import Accounting
internal import Kernel
internal import SystemPackage

// The watch of each directory.
extension LayerTracker {
    /// Tells the same directory moved from a new one that got the number of one that went: the same inode has the
    /// same watch.
    func reconsider(
        _ inode: UInt64, at place: Place, _ parent: FileSystem.Handle
    ) throws(Failure) {
        guard let handle = try? fileSystem.open([place.name], below: parent),
            let status = try? fileSystem.status(of: handle), status.identity.inode == inode
        else {
            isIncomplete = true
            pending.look(at: place)
            return
        }
        if try rewatch(inode, handle) { listing.append((inode, true)) }
    }

    /// Makes sure of a directory's watches; returns whether one is another than before.
    @discardableResult
    func rewatch(_ directory: UInt64, _ handle: FileSystem.Handle) throws(Failure) -> Bool {
        let watch = try addWatch(handle)
        let before = tree?.directories[directory]?.watch
        directoryOfWatch[watch] = directory
        let isAnotherInMount = try rewatchInMount(directory)
        guard before != watch else { return isAnotherInMount }
        if let before, before >= 0, directoryOfWatch[before] == directory {
            directoryOfWatch[before] = nil
            fileSystem.unwatch(before)
        }
        tree?.setWatch(watch, of: directory)
        return true
    }

    func addWatch(_ handle: FileSystem.Handle) throws(Failure) -> Int32 {
        do {
            return try fileSystem.watch(handle)
        } catch {
            throw outOfWatches(error) ?? .unreadable(error)
        }
    }

    /// What it means that a watch was refused, if it is that there are too many.
    func outOfWatches(_ error: KernelError) -> Failure? {
        switch error.errno {
        case .noSpace, .noMemory:
            .untrackable(
                reason: "inotify watches are used up; raise the sysctl fs.inotify.max_user_watches")
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem:
            .untrackable(
                reason:
                    "\(error); raise the sysctl fs.inotify.max_user_instances or the limit of open files"
            )
        default: nil
        }
    }
}
