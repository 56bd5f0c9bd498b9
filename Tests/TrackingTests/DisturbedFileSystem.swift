import Accounting
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

    /// With a mount, the directory itself tells nothing of data.
    init(path: String, mount: OverlayMount? = nil) throws {
        let inotify = try Inotify()
        self.inotify = inotify
        let watches = LayerWatches(
            instance: InotifyInstance { inotify }, owners: WatchOwners(), budget: WatchBudget(limit: .max),
            layer: 0)
        base = KernelFileSystem(
            path: path, watches: watches,
            mask: mount == nil ? KernelFileSystem.mask : KernelFileSystem.mask.subtracting(.data),
            merged: mount.map { MergedMount($0, watches: watches, sight: MountSight(), pollSeconds: 30) })
    }

    /// Gives a tracker all events that wait.
    func deliver(to tracker: LayerTracker<DisturbedFileSystem>) throws {
        _ = try inotify.drainRecords { event in
            base.merged?.note(event)
            tracker.note(event)
        }
    }

    /// Sees after what was told of the mount; returns whether its watches tell all.
    func refreshMount(of tracker: LayerTracker<DisturbedFileSystem>) -> Bool {
        guard let merged = base.merged else { return true }
        if merged.isChanged, merged.refresh(at: 0, upper: base.path, isAsked: true) { tracker.lookAgain() }
        return merged.doubt == nil && tracker.mountDoubt == nil
    }

    func openRoot() throws(KernelError) -> Directory { try base.openRoot() }

    func settledFiles(of root: Directory) -> SettledFiles { .none }

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
    func owns(_ watch: Int32) -> Bool { base.owns(watch) }

    var hasMount: Bool { base.hasMount }

    func openMount() throws(KernelError) -> Directory? {
        disturb?()
        return try base.openMount()
    }

    func watchInMount(_ directory: Directory, isRoot: Bool) throws(KernelError) -> Int32 {
        disturb?()
        return try base.watchInMount(directory, isRoot: isRoot)
    }
}

extension InotifyEvent.Mask {
    /// What kernels before 6.5 tell an upper directory nothing of.
    static let data: Self = [.modify, .closeWrite]
}
