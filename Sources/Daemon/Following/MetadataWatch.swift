internal import Kernel
internal import SystemPackage

/// Watches the directories of a store's metadata; used by one thread.
final class MetadataWatch {
    private static let mask: InotifyEvent.Mask = [
        .create, .delete, .movedFrom, .movedTo, .closeWrite, .deleteSelf, .moveSelf, .onlyDirectory,
    ]

    /// A database is written in place, and its owner never closes it.
    private static let databaseMask: InotifyEvent.Mask = [.modify, .deleteSelf, .moveSelf]

    private var inotify: Inotify?
    private var watches: [String: Int32] = [:]
    private var paths: [Int32: String] = [:]
    private var identities: [String: FileStatus.Identity] = [:]
    /// Why changes are not told; `nil` while they are.
    private(set) var failure: String?

    var count: Int { watches.count }
    var descriptor: FileDescriptor? { inotify?.descriptor }

    /// Watches these directories and databases and no others; returns whether one is new, so that what was read before
    /// may lack something.
    func watch(_ directories: [String], databases: [String] = []) -> Bool {
        failure = nil
        if inotify == nil {
            do {
                inotify = try Inotify()
            } catch {
                failure = error.advice
                return false
            }
        }
        guard let inotify else { return false }
        let wanted = Set(directories + databases)
        let isDatabase = Set(databases)
        for (path, watch) in watches where !wanted.contains(path) {
            watches[path] = nil
            identities[path] = nil
            // Two paths may lead to one directory, which has one watch.
            guard paths[watch] == path else { continue }
            paths[watch] = nil
            inotify.remove(watch: watch)
        }
        var isNew = false
        for path in wanted where watches[path] == nil {
            do {
                // Taken first: if it is another directory by the time of the watch, the next comparison finds it.
                identities[path] = try? FileStatus.of(path: path).identity
                let watch = try inotify.add(
                    path: path, mask: isDatabase.contains(path) ? Self.databaseMask : Self.mask)
                watches[path] = watch
                paths[watch] = path
                isNew = true
            } catch {
                // One that went meanwhile is told by the directory that held it.
                guard error.errno != .noSuchFileOrDirectory, error.errno != .notDirectory else { continue }
                failure = error.advice
            }
        }
        return isNew
    }

    /// Ends the watches of directories that are not at their paths any more; returns whether there are any.
    ///
    /// No event tells that a mount covers a directory or is taken away from it, or that one above it is renamed.
    func forgetMoved() -> Bool {
        guard let inotify else { return false }
        var hasMoved = false
        for (path, watch) in watches
        where identities[path] != (try? FileStatus.of(path: path).identity) {
            watches[path] = nil
            identities[path] = nil
            hasMoved = true
            guard paths.removeValue(forKey: watch) != nil else { continue }
            inotify.remove(watch: watch)
        }
        return hasMoved
    }

    /// Takes all events; returns whether anything changed.
    func drain() -> Bool {
        guard let inotify else { return false }
        var hasChanged = false
        var isOverflown = false
        do {
            _ = try inotify.drain { event in
                hasChanged = true
                if event.mask.contains(.queueOverflow) { isOverflown = true }
                guard !event.mask.isDisjoint(with: [.ignored, .moveSelf]),
                    let path = paths.removeValue(forKey: event.watch)
                else { return }
                if watches[path] == event.watch { watches[path] = nil }
                // Another directory may have its path by now: that one is to be watched.
                if !event.mask.contains(.ignored) { inotify.remove(watch: event.watch) }
            }
        } catch {
            hasChanged = true
        }
        if isOverflown {
            // Among what is lost may be that a watch ended.
            for watch in paths.keys { inotify.remove(watch: watch) }
            watches = [:]
            paths = [:]
            identities = [:]
        }
        return hasChanged
    }
}
