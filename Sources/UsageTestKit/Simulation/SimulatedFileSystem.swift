internal import Kernel
internal import Tracking
internal import SystemPackage

/// A layer's directory on a ``SimulatedDisk``, where others work between any two looks.
struct SimulatedFileSystem: LayerFileSystem {
    typealias Handle = SimulatedDisk.Node

    let disk: SimulatedDisk
    let root: SimulatedDisk.Node
    let inotify: SimulatedInotify
    let owners: WatchOwners
    let layer: Int
    /// Called before each look.
    let disturb: () -> Void

    func openRoot() throws(KernelError) -> SimulatedDisk.Node {
        root
    }

    func open(
        _ path: [FileName], below root: SimulatedDisk.Node
    ) throws(KernelError) -> SimulatedDisk.Node {
        disturb()
        guard let node = disk.node(at: path, below: root) else {
            throw KernelError(call: "openat2", errno: .noSuchFileOrDirectory)
        }
        guard node.kind == .directory else { throw KernelError(call: "openat2", errno: .notDirectory) }
        return node
    }

    func status(of directory: SimulatedDisk.Node) throws(KernelError) -> FileStatus {
        disturb()
        return disk.status(of: directory)
    }

    func status(
        of name: FileName, in directory: SimulatedDisk.Node
    ) throws(KernelError) -> FileStatus {
        disturb()
        guard let node = directory.children[name]?.node else {
            throw KernelError(call: "fstatat", errno: .noSuchFileOrDirectory)
        }
        return disk.status(of: node)
    }

    func forEachEntry(
        in directory: SimulatedDisk.Node, _ body: (FileName) -> Void
    ) throws(KernelError) {
        disturb()
        for name in directory.children.keys { body(name) }
        if disk.mutation == .listBeforeWatch {
            disturb()
            _ = inotify.watch(directory)
        }
    }

    func watch(_ directory: SimulatedDisk.Node) throws(KernelError) -> Int32 {
        if disk.mutation != .listBeforeWatch { disturb() }
        let watch =
            disk.mutation == .listBeforeWatch ? inotify.reserveWatch(directory) : inotify.watch(directory)
        owners.assign(watch, to: layer)
        return watch
    }

    func owns(_ watch: Int32) -> Bool { owners.owner(of: watch) == layer }

    func settledFiles(of root: SimulatedDisk.Node) -> SettledFiles {
        SettledFiles(allocated: SimulatedDisk.settledBytes)
    }

    func unwatch(_ watch: Int32) {
        guard owners.release(watch, from: layer) else { return }
        inotify.unwatch(watch)
    }
}
