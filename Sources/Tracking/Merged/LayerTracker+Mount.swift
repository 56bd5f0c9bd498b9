internal import Accounting
internal import Kernel
internal import SystemPackage

// The watches of the layer's directories in its mount, where only those tell of data.
//
// Both watches of a directory mark the same places. The layer's own tells of names before the mount shows them, so
// what the mount tells of names afterwards has them looked at again: between the two a write can have gone by the
// old name, and a directory can have been found in the mount under the name of another.
extension LayerTracker {
    /// Why the mount's watches do not tell all; `nil` where they do.
    package var mountDoubt: String? {
        guard fileSystem.hasMount, let lost = mount.lost else { return nil }
        let path = tree?.path(of: lost.directory)?.map(\.escaped).joined(separator: "/") ?? ""
        return "/\(path) cannot be watched in its mount: \(lost.reason)"
    }

    /// Takes an event of a watch in the mount.
    func noteInMount(_ event: InotifyRecord, _ directory: UInt64) {
        if !event.mask.isDisjoint(with: [.unmount, .ignored]) {
            _ = mount.set(nil, of: directory)
            forgetWatch(event.watch)
            // Gone with its inode: if the layer still has the directory, the mount shows another for it.
            if !event.mask.contains(.unmount) { markEntry(of: directory, watchingAgain: true) }
        } else if !event.name.isEmpty {
            if event.mask.isDisjoint(with: [.create, .movedFrom, .movedTo]) {
                pending.note(event, in: directory)
            } else {
                pending.look(
                    at: Place(directory: directory, name: FileName(bytes: Array(event.name))),
                    watchingAgain: event.mask.contains(.isDirectory))
            }
        } else {
            pending.lookAtDirectory(directory)
        }
    }

    /// Tries again what could not be watched; whoever asks wants to know.
    func markHidden() {
        for directory in mount.hidden.keys where directory != tree?.root {
            markEntry(of: directory, watchingAgain: true)
        }
    }

    /// Makes sure of a directory's watch in the mount; returns whether it is another than before, so that what the
    /// directory holds is to be looked at.
    func rewatchInMount(_ directory: UInt64) throws(Failure) -> Bool {
        guard fileSystem.hasMount else {
            unwatchInMount(directory)
            return false
        }
        let watch: Int32
        do throws(KernelError) {
            // Where the mount is detached the watches that there are tell until it ends.
            guard let found = try watchInMount(directory) else { return false }
            watch = found
        } catch {
            if let failure = outOfWatches(error) { throw failure }
            if mount.hide(directory, reason: "\(error)") {
                isIncomplete = true
                markEntry(of: directory, watchingAgain: true)
            }
            return false
        }
        let before = mount.set(watch, of: directory)
        directoryOfWatch[watch] = directory
        guard before != watch else { return false }
        if let before { unwatch(before, of: directory) }
        return true
    }

    private func watchInMount(_ directory: UInt64) throws(KernelError) -> Int32? {
        if mount.opened == nil, let root = tree?.root, let handle = try fileSystem.openMount() {
            mount.opened = OpenAncestors(root: root, handle)
        }
        guard mount.opened != nil else { return nil }
        let handle = try open(directory, through: &mount.opened)
        return try fileSystem.watchInMount(handle, isRoot: directory == tree?.root)
    }

    /// Gives a directory's watch in the mount back.
    func unwatchInMount(_ directory: UInt64) {
        if let watch = mount.set(nil, of: directory) { unwatch(watch, of: directory) }
    }
}
