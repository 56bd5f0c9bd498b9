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
            let status = try? fileSystem.status(of: handle), status.identity.inode == inode,
            status.identity.device == tree?.device
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
        let before = tree?.directory(directory)?.watch
        // The directory may have been in another layer, and come back before anyone looked: the watches of those below
        // it, and what they told, are the other's as well.
        let wasTaken = before.map { $0 >= 0 && !fileSystem.owns($0) } ?? false
        let watch = try addWatch(handle)
        directoryOfWatch[watch] = directory
        let isAnotherInMount = try rewatchInMount(directory)
        guard before != watch else { return isAnotherInMount || wasTaken }
        noteNamesLost(in: [directory])
        if let before { unwatch(before, of: directory) }
        tree?.setWatch(watch, of: directory)
        return true
    }

    /// Gives a directory's watch back, if it has that one still.
    func unwatch(_ watch: Int32, of directory: UInt64) {
        guard directoryOfWatch[watch] == directory else { return }
        forgetWatch(watch)
        fileSystem.unwatch(watch)
    }

    func forgetWatch(_ watch: Int32) {
        directoryOfWatch[watch] = nil
        directoryOfWatch.giveBack()
    }

    /// Gives all watches back, for other layers lack some.
    package func yieldWatches(isBoundByConfiguration: Bool) {
        fail(Self.outOfWatches(isBoundByConfiguration: isBoundByConfiguration))
    }

    private static func outOfWatches(isBoundByConfiguration: Bool) -> Failure {
        let remedy =
            isBoundByConfiguration
            ? "tracking.watch_budget in the configuration" : "the sysctl fs.inotify.max_user_watches"
        return .untrackable(
            reason: """
                no inotify watches are left for it, of which a layer may have three quarters of what the others \
                leave; raise \(remedy)
                """)
    }

    func addWatch(_ handle: FileSystem.Handle) throws(Failure) -> Int32 {
        do {
            return try fileSystem.watch(handle)
        } catch {
            throw outOfWatches(error) ?? .unreadable(error)
        }
    }

    /// What it means that a watch was refused, if it is for want of something.
    func outOfWatches(_ error: KernelError) -> Failure? {
        if error.errno == .diskQuotaExceeded { return Self.outOfWatches(isBoundByConfiguration: true) }
        guard error.isScarcity else { return nil }
        guard error.errno == .noSpace else { return .untrackable(reason: error.advice) }
        return Self.outOfWatches(isBoundByConfiguration: false)
    }
}
