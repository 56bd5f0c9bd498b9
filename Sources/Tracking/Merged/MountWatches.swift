internal import Kernel

/// The second watches of a layer's directories, in its mount, and the directories that have none.
struct MountWatches<Handle> {
    /// Why a directory of the layer cannot be watched where the mount should show it.
    struct Hidden {
        var tries: Int
        var reason: String
    }

    /// In the middle of a rename or a removal the mount shows a directory elsewhere than the layer does.
    static var tries: Int { 3 }

    /// By the inode number of the layer's own directory.
    private(set) var watches: [UInt64: Int32] = [:]
    private(set) var hidden: [UInt64: Hidden] = [:]
    /// The root of the mount, during a batch; held open longer, it would keep the mount from ending.
    var root: Handle?
    var recent = RecentHandles<Handle>()

    /// Whether `watch` is the one that a directory has in the mount.
    func has(_ watch: Int32, of directory: UInt64) -> Bool {
        watches[directory] == watch
    }

    /// Returns the watch that the directory had before.
    mutating func set(_ watch: Int32?, of directory: UInt64) -> Int32? {
        hidden[directory] = nil
        let before = watches[directory]
        watches[directory] = watch
        return before
    }

    /// The directory was not found; returns whether it may be found at another try.
    mutating func hide(_ directory: UInt64, reason: String) -> Bool {
        let tries = (hidden[directory]?.tries ?? 0) + 1
        hidden[directory] = Hidden(tries: min(tries, Self.tries), reason: reason)
        return tries < Self.tries
    }

    /// A directory that stays hidden, if there is one.
    var lost: (directory: UInt64, reason: String)? {
        hidden.first { $0.value.tries >= Self.tries }.map { ($0.key, $0.value.reason) }
    }

    mutating func endBatch() {
        root = nil
        recent = RecentHandles()
    }
}

/// Directories that were opened last, so that those below are opened from them.
struct RecentHandles<Handle> {
    private static var limit: Int { 8 }
    /// The latest at the end.
    private var entries: [(directory: UInt64, handle: Handle)] = []

    mutating func add(_ directory: UInt64, _ handle: Handle) {
        entries.append((directory, handle))
        if entries.count > Self.limit { entries.removeFirst() }
    }

    /// Returns the handle of a directory that is still open, which is kept for longer.
    mutating func use(_ directory: UInt64) -> Handle? {
        guard let index = entries.lastIndex(where: { $0.directory == directory }) else { return nil }
        let entry = entries.remove(at: index)
        entries.append(entry)
        return entry.handle
    }
}
