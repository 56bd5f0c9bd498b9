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
    /// Directories in the mount, open during a batch; held open longer, they would keep the mount from ending.
    var opened: OpenAncestors<UInt64, Handle>?

    /// Whether `watch` is the one that a directory has in the mount.
    func has(_ watch: Int32, of directory: UInt64) -> Bool {
        watches[directory] == watch
    }

    /// Returns the watch that the directory had before.
    mutating func set(_ watch: Int32?, of directory: UInt64) -> Int32? {
        hidden[directory] = nil
        let before = watches[directory]
        watches[directory] = watch
        watches.giveBack()
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
        opened = nil
    }
}
