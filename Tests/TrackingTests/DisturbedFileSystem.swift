import Kernel

@testable import Tracking

/// A layer's real directory in which something happens at the worst moment.
final class DisturbedFileSystem: LayerFileSystem {
    private let base: KernelFileSystem
    let inotify: Inotify
    /// Runs once, before the next directory is listed that is not the first.
    var beforeListing: (() -> Void)?
    /// Runs before each look and each watch.
    var disturb: (() -> Void)?
    /// Fails each watch while it is set.
    var watchFailure: KernelError?
    private var isFirst = true

    init(path: String) throws {
        let inotify = try Inotify()
        self.inotify = inotify
        base = KernelFileSystem(
            path: path, instance: InotifyInstance { inotify }, watches: WatchOwners(),
            budget: WatchBudget(limit: .max), layer: 0)
    }

    /// Gives a tracker all events that wait.
    func deliver(to tracker: LayerTracker<DisturbedFileSystem>) throws {
        _ = try inotify.drain { tracker.note($0) }
    }

    func openRoot() throws(KernelError) -> Directory { try base.openRoot() }

    func settledBytes(of root: Directory) -> Int64 { 0 }

    func open(_ path: [FileName], below root: Directory) throws(KernelError) -> Directory {
        disturb?()
        return try base.open(path, below: root)
    }

    func status(of directory: Directory) throws(KernelError) -> FileStatus {
        disturb?()
        return try base.status(of: directory)
    }

    func status(of name: FileName, in directory: Directory) throws(KernelError) -> FileStatus {
        disturb?()
        return try base.status(of: name, in: directory)
    }

    func forEachEntry(in directory: Directory, _ body: (FileName) -> Void) throws(KernelError) {
        if !isFirst {
            beforeListing?()
            beforeListing = nil
        }
        isFirst = false
        disturb?()
        try base.forEachEntry(in: directory, body)
    }

    func watch(_ directory: Directory) throws(KernelError) -> Int32 {
        disturb?()
        if let watchFailure { throw watchFailure }
        return try base.watch(directory)
    }

    func unwatch(_ watch: Int32) { base.unwatch(watch) }
}
