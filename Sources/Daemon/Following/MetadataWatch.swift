internal import Kernel
internal import SystemPackage

/// Watches the directories of a store's metadata; used by one thread.
final class MetadataWatch {
    private static let mask: InotifyEvent.Mask = [
        .create, .delete, .movedFrom, .movedTo, .closeWrite, .deleteSelf, .moveSelf, .onlyDirectory,
    ]

    /// A database is written in place, and its owner never closes it.
    private static let databaseMask: InotifyEvent.Mask = [.modify, .deleteSelf, .moveSelf]

    private struct Watched {
        var watch: Int32
        /// What was at the path just before it was watched; `nil` where nothing was.
        var identity: FileStatus.Identity?
        /// The directory above with its watch, where that is older than the last look at the path.
        ///
        /// What takes the place of the path then has an event there.
        var anchor: (path: String, watch: Int32)?
    }

    private var inotify: Inotify?
    private var watches: [String: Watched] = [:]
    private var paths: [Int32: String] = [:]
    private let mounts = MountWatch()
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
        for path in watches.keys where !wanted.contains(path) { forget(path) }
        var isNew = false
        for path in wanted where watches[path] == nil {
            do {
                // Taken first: if it is another directory by the time of the watch, the next comparison finds it.
                let identity = try? FileStatus.of(path: path).identity
                let watch = try inotify.add(
                    path: path, mask: isDatabase.contains(path) ? Self.databaseMask : Self.mask)
                watches[path] = Watched(watch: watch, identity: identity)
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
    /// No event tells that a mount covers a directory or is taken away from it, or that one above it is renamed. The
    /// kernel tells that there are other mounts. A directory above that is watched itself tells that it moves: of 1,000
    /// containers' directories none need be looked at, which each answer would wait for.
    func forgetMoved() -> Bool {
        var mustLookAtAll = mounts.descriptor == nil || mounts.hasChanged()
        let before = watches.count
        var known = before
        repeat {
            known = watches.count
            for (path, watched) in watches where mustLookAtAll || !isAnchored(watched) {
                if watched.identity == (try? FileStatus.of(path: path).identity) {
                    let anchor = anchor(of: path)
                    watches[path]?.anchor = anchor
                } else {
                    forget(path)
                }
            }
            mustLookAtAll = false
            // Those below one that went are to be looked at as well.
        } while watches.count < known
        return watches.count < before
    }

    private func isAnchored(_ watched: Watched) -> Bool {
        watched.anchor.map { watches[$0.path]?.watch == $0.watch } ?? false
    }

    private func anchor(of path: String) -> (path: String, watch: Int32)? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let above = String(path[..<slash])
        return watches[above].map { (above, $0.watch) }
    }

    private func forget(_ path: String) {
        guard let watch = watches.removeValue(forKey: path)?.watch else { return }
        // Two paths may lead to one directory, which has one watch.
        guard paths[watch] == path else { return }
        paths[watch] = nil
        inotify?.remove(watch: watch)
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
                guard let path = paths[event.watch] else { return }
                if let name = event.name {
                    // Something else may be there by now.
                    watches["\(path)/\(String(decoding: name.bytes, as: UTF8.self))"]?.anchor = nil
                }
                guard !event.mask.isDisjoint(with: [.ignored, .moveSelf]) else { return }
                paths[event.watch] = nil
                if watches[path]?.watch == event.watch { watches[path] = nil }
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
        }
        return hasChanged
    }
}
