import Accounting

/// What the databases of a root say at one moment.
struct ContainerdDatabases: Hashable, Sendable {
    static let metadataFile = "meta.db"
    static let snapshotterFile = "metadata.db"

    var metadata = ContainerdMetadata()
    var snapshotters: [Snapshotter: SnapshotterMetadata] = [:]
    /// Other snapshotters that have snapshots, and what is wrong with their database where it cannot be read.
    var others: [String: String?] = [:]
}

/// Keeps what the databases of a root said.
struct ContainerdDatabaseCache: Sendable {
    private var metadata = BoltFacts<ContainerdMetadata>()
    private var snapshotters: [Snapshotter: BoltFacts<SnapshotterMetadata>] = [:]
    private var others: [String: BoltFacts<Int>] = [:]

    /// Reads the databases; `files` are those that are there.
    ///
    /// Users first: what `meta.db` names was in the snapshotter's database before. A fault is of a database without
    /// which nothing can be told.
    mutating func read(
        _ paths: ContainerdPaths, files: inout [String], _ notes: inout ReadingNotes
    ) throws(MetadataFault) -> ContainerdDatabases {
        var databases = ContainerdDatabases()
        let found = try read(
            paths.metadata, ContainerdDatabases.metadataFile, &metadata, &files, &notes,
            ContainerdMetadata.init)
        databases.metadata = found ?? ContainerdMetadata()
        for snapshotter in Snapshotter.allCases {
            databases.snapshotters[snapshotter] = try read(
                paths.directory(of: snapshotter.rawValue), ContainerdDatabases.snapshotterFile,
                &snapshotters[snapshotter, default: BoltFacts()], &files, &notes, SnapshotterMetadata.init)
        }
        try check(databases, hasMetadata: found != nil, paths)
        try readOthers(paths, into: &databases, &files, &notes)
        return databases
    }

    private mutating func readOthers(
        _ paths: ContainerdPaths, into databases: inout ContainerdDatabases, _ files: inout [String],
        _ notes: inout ReadingNotes
    ) throws(MetadataFault) {
        let prefix = ContainerdPaths.snapshotterPrefix
        let names = try MetadataDirectory(path: paths.root).names(
            where: { $0.hasPrefix(prefix) }, &notes)
        for name in names.map({ String($0.dropFirst(prefix.count)) })
        where Snapshotter(rawValue: name) == nil {
            do throws(MetadataFault) {
                let count = try read(
                    paths.directory(of: name), ContainerdDatabases.snapshotterFile,
                    &others[name, default: BoltFacts()], &files, &notes
                ) { SnapshotterMetadata($0).snapshots.count }
                if let count, count > 0 { databases.others[name] = .some(nil) }
            } catch {
                databases.others[name] = error.reason
            }
        }
    }

    /// The facts of one database; `nil` where it is not there.
    private func read<Facts: Sendable>(
        _ directory: String, _ name: String, _ known: inout BoltFacts<Facts>, _ files: inout [String],
        _ notes: inout ReadingNotes, _ extract: (BoltSnapshot) -> Facts
    ) throws(MetadataFault) -> Facts? {
        let opened: MetadataDirectory
        do throws(MetadataFault) {
            opened = try MetadataDirectory(path: directory)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
        let (facts, fault) = known.read(name, in: opened, &notes, extract)
        if fault?.isMissing == true { return nil }
        files.append(directory + "/" + name)
        if let fault { throw fault }
        return facts
    }

    /// Finds what cannot be together in a root of which nothing is hidden.
    private func check(
        _ databases: ContainerdDatabases, hasMetadata: Bool, _ paths: ContainerdPaths
    ) throws(MetadataFault) {
        if !hasMetadata, databases.snapshotters.values.contains(where: { !$0.snapshots.isEmpty }) {
            throw .damaged(
                paths.metadata + "/" + ContainerdDatabases.metadataFile,
                "it does not exist, but there are snapshots: restore it, or remove the root's content")
        }
        for snapshotter in Snapshotter.allCases where databases.snapshotters[snapshotter] == nil {
            let names = databases.metadata.namespaces.values.contains {
                $0.snapshots[snapshotter.rawValue]?.isEmpty == false
            }
            guard names else { continue }
            let path = paths.directory(of: snapshotter.rawValue)
            throw .damaged(
                path + "/" + ContainerdDatabases.snapshotterFile,
                "it does not exist, but meta.db names snapshots in it; is \(path) mounted?")
        }
    }
}
