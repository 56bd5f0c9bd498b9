public import Accounting
public import Kernel
internal import SystemPackage

/// Measures a layer's directory by one walk.
public enum LayerScanner {
    public struct Result: Hashable, Sendable {
        public var measure: LayerMeasure
        /// The directory itself, before it was walked.
        public var root: FileStatus
        public var directoriesRead: Int64
        public var looks: Int64
        /// The latest change time of all inodes that were counted, nanoseconds since the epoch.
        public var newestChange: Int64
    }

    /// Walks `path`, which may not be a link itself, and stays on its file system; a path to a file is that file alone.
    ///
    /// Every inode is counted once; what goes meanwhile is left out. Memory grows with the number of directories
    /// and of files with several names, not with depth. `isCancelled` is asked at each directory.
    ///
    /// Where `entries` are given, only those of the directory count, and it does not count itself.
    public static func measure(
        path: String, entries patterns: [NamePattern] = [], isCancelled: () -> Bool = { false }
    ) throws(KernelError) -> Result {
        let root: Directory
        do {
            root = try Directory.open(path: path, followingLast: false)
        } catch {
            guard error.errno == .notDirectory else { throw error }
            return try measureFile(path)
        }
        let selection = EntrySelection(patterns)
        selection?.root = root
        var rootStatus = try root.status()
        if selection != nil { rootStatus = rootStatus.costingNothing }
        var disk = Int128(rootStatus.allocated)
        var size: Int128 = 0
        var inodes: Int64 = selection == nil ? 1 : 0
        var looks: Int64 = 0
        var newestChange = rootStatus.changed
        var linked: [UInt64: (names: UInt32, links: UInt32, measure: Measure)] = [:]
        let device = rootStatus.identity.device
        let directoriesRead = try DirectoryWalk.run(root, note: (), isCancelled: isCancelled) {
            (directory, entry, _) throws(KernelError) -> Void? in
            if let selection, selection.leavesOut(entry.name, in: directory) { return nil }
            looks += 1
            // The layer's own directory may be mounted inside itself.
            guard let status = try directory.countedStatus(of: entry, on: device),
                status.identity != rootStatus.identity
            else { return nil }
            newestChange = max(newestChange, status.changed)
            if status.kind == .directory {
                disk += Int128(status.allocated)
                inodes += 1
                return ()
            }
            if status.links > 1 {
                if linked[status.identity.inode] != nil {
                    linked[status.identity.inode]?.names += 1
                    return nil
                }
                linked[status.identity.inode] = (
                    1, status.links,
                    Measure(diskBytes: status.allocated, sizeBytes: status.size, inodes: 1)
                )
            }
            disk += Int128(status.allocated)
            size += Int128(status.size)
            inodes += 1
            return nil
        }
        var outside: [InodeKey: Measure] = [:]
        for (inode, file) in linked where file.links > file.names {
            outside[InodeKey(device: rootStatus.identity.device, inode: inode)] = file.measure
        }
        return Result(
            measure: LayerMeasure(
                total: Measure(
                    diskBytes: Int64(clamping: disk), sizeBytes: Int64(clamping: size), inodes: inodes),
                linkedOutside: outside),
            root: rootStatus, directoriesRead: directoriesRead, looks: looks,
            newestChange: newestChange)
    }

    private static func measureFile(_ path: String) throws(KernelError) -> Result {
        let status = try FileStatus.of(link: path)
        guard status.kind == .regular else {
            throw KernelError(call: "open", path: path, errno: .notDirectory)
        }
        let measure = Measure(diskBytes: status.allocated, sizeBytes: status.size, inodes: 1)
        let inode = InodeKey(device: status.identity.device, inode: status.identity.inode)
        return Result(
            measure: LayerMeasure(total: measure, linkedOutside: status.links > 1 ? [inode: measure] : [:]),
            root: status, directoriesRead: 0, looks: 1, newestChange: status.changed)
    }
}
