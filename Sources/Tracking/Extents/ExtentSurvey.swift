public import Accounting
public import Kernel

/// Finds out which bytes of a store's layers lie in blocks that others share: reflinks, and snapshots of subvolumes.
public enum ExtentSurvey {
    /// A layer or tree whose files are asked about.
    public struct Holder: Hashable, Sendable {
        public var key: LayerKey
        public var directory: String
        public var entries: [NamePattern]

        public init(key: LayerKey, directory: String, entries: [NamePattern] = []) {
            self.key = key
            self.directory = directory
            self.entries = entries
        }
    }

    /// Whether files of a file system can share blocks.
    public static func mayShare(_ status: FileSystemStatus) -> Bool {
        [FileSystemMagic.btrfs, FileSystemMagic.xfs, FileSystemMagic.bcachefs, FileSystemMagic.ocfs2]
            .contains(status.type)
    }

    /// Walks the holders, the first of which is charged for what several have.
    ///
    /// A directory that is gone is left out. `isCancelled` is asked at each directory.
    public static func run(
        _ holders: [Holder], isCancelled: () -> Bool = { false }
    ) throws(KernelError) -> SharedExtents {
        var claims = ExtentClaims()
        var seen: Set<FileStatus.Identity> = []
        for (index, holder) in holders.enumerated() {
            let root: Directory
            do {
                root = try Directory.open(path: holder.directory, followingLast: false)
            } catch {
                guard error.leadsElsewhere else { throw error }
                continue
            }
            let selection = EntrySelection(holder.entries)
            selection?.root = root
            let device = try root.status().identity.device
            _ = try DirectoryWalk.run(root, note: (), isCancelled: isCancelled) {
                (directory, entry, _) throws(KernelError) -> Void? in
                if let selection, selection.leavesOut(entry.name, in: directory) { return nil }
                guard let status = try directory.countedStatus(of: entry, on: device) else { return nil }
                if status.kind == .directory { return () }
                guard status.kind == .regular, status.allocated > 0,
                    status.links == 1 || seen.insert(status.identity).inserted
                else { return nil }
                try FileExtents.forEachShared(entry.name, in: directory) { extent in
                    claims.add(
                        extent.physical, length: extent.length, isEncoded: extent.isEncoded, to: index)
                }
                return nil
            }
        }
        let elsewhere = claims.chargedElsewhere(holders: holders.count)
        return SharedExtents(
            chargedElsewhere: Dictionary(
                zip(holders.map(\.key), elsewhere).filter { $0.1 > 0 },
                uniquingKeysWith: { first, _ in first }),
            isComplete: !claims.isIncomplete)
    }
}
