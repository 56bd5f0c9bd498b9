import Accounting
import Glibc
import Kernel

/// Reads a bbolt database file that an engine holds open and writes to.
///
/// No lock is taken, nothing is mapped: a lock would hold up an engine that starts, or be held up by one that runs.
/// The copy is of one transaction all the same. While the newest meta page on disk is that of transaction T, an engine
/// writes at most for T + 1, and of the pages that T uses it writes none; so a copy that began and ended under the same
/// newest T has T whole.
enum BoltFile {
    /// A file of more bytes in use is not read.
    static let limit = 256 << 20
    /// How often a copy is tried, and how long it is waited before the next, microseconds.
    static let attempts = 24
    static let pause: UInt32 = 2_000

    /// Which content of which file.
    struct Version: Hashable, Sendable {
        let identity: FileStatus.Identity
        let meta: BoltMeta
        /// When the file was last written to, for one that was refused: it may be put right without a transaction.
        var modified: Int64?
    }

    /// What a reading gave.
    enum Reading: Sendable {
        /// No transaction has ended since the one of the version that is known.
        case unchanged
        case changed(Version, BoltSnapshot)
        /// The copy is consistent, and no right database; it stays so until the version changes.
        case refused(Version, MetadataFault)
    }

    /// Reads the database `name`, unless it still has the content of `known`.
    ///
    /// The fault is `unreadable` where no consistent copy can be had, since the engine writes all the time,
    /// and `pending` for a database that its engine just makes.
    static func read(
        _ name: String, in directory: MetadataDirectory, known: Version?, _ notes: inout ReadingNotes
    ) throws(MetadataFault) -> Reading {
        let path = directory.path + "/" + name
        let file = try directory.regularFile(name)
        for attempt in 0..<attempts {
            if attempt > 0 { usleep(pause) }
            let result: Attempt
            do {
                result = try copy(file, known)
            } catch {
                throw MetadataFault(error, path: path)
            }
            switch result {
            case .unchanged: return .unchanged
            case .disturbed: continue
            case .copied(let version, let modified, let bytes):
                notes.filesRead += 1
                return parse(bytes, version, modified, path)
            case .noMeta(let size):
                guard attempt + 1 == attempts else { continue }
                // An engine makes the file and then writes four pages at once.
                if size < 4096 { throw .pending(path, "it is shorter than a database is") }
                throw .damaged(path, "\(BoltFault.noMeta)")
            }
        }
        throw MetadataFault(
            severity: .unreadable, path: path,
            reason: "cannot get a consistent copy: the engine wrote to it during each of \(attempts) readings"
        )
    }

    private enum Attempt {
        case unchanged, disturbed
        case noMeta(fileSize: Int64)
        case copied(Version, modified: Int64, [UInt8])
    }

    private static func copy(
        _ file: RegularFile, _ known: Version?
    ) throws(BoundedFile.Failure) -> Attempt {
        let before = try newestMeta(file)
        let status = try file.status()
        guard let before else { return .noMeta(fileSize: status.size) }
        let version = Version(identity: status.identity, meta: before)
        let (used, overflow) = before.highWater.multipliedReportingOverflow(by: UInt64(before.pageSize))
        // It is at least as long as its transaction needs, unless it was cut.
        let bytes = min(overflow ? UInt64.max : used, UInt64(clamping: status.size))
        if let known, known.identity == version.identity, known.meta == before,
            known.modified == nil ? !overflow && bytes == used : known.modified == status.modified
        {
            return .unchanged
        }
        guard bytes <= UInt64(limit) else { throw .tooLarge(path: file.path, limit: limit) }
        let copy = try file.read(Int(bytes), at: 0)
        return try newestMeta(file) == before ? .copied(version, modified: status.modified, copy) : .disturbed
    }

    private static func parse(_ copy: [UInt8], _ version: Version, _ modified: Int64, _ path: String)
        -> Reading
    {
        do throws(BoltFault) {
            return .changed(version, try BoltSnapshot(copy, of: version.meta))
        } catch {
            var version = version
            version.modified = modified
            return .refused(version, .damaged(path, "\(error); stop the engine and check the database"))
        }
    }

    private static func newestMeta(_ file: RegularFile) throws(BoundedFile.Failure) -> BoltMeta? {
        let first = try file.read(BoltMeta.extent, at: 0)
        guard let meta = BoltMeta(first, at: 0) else {
            // The page size is not known, so neither where the second one is.
            let last = (BoltMeta.secondOffsets.last ?? 0) + BoltMeta.extent
            return BoltMeta.newest(in: try file.read(last, at: 0))
        }
        let second = try file.read(BoltMeta.extent, at: meta.pageSize)
        guard let other = BoltMeta(second, at: 0), other.pageSize == meta.pageSize else { return meta }
        return other.transaction > meta.transaction ? other : meta
    }
}
