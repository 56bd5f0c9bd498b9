import Accounting
import Kernel

/// What is in the directories of a root, beside the databases.
struct ContainerdListing {
    /// An entry of a directory of snapshots.
    struct Entry: Hashable {
        /// When it or its layer last changed, nanoseconds since the epoch.
        var changed: Int64
        /// Whether the layer is there: the directory itself, or the one in it that holds the differences.
        var hasLayer: Bool
    }

    var snapshots: [Snapshotter: [String: Entry]] = [:]
    /// The directories of blobs, by algorithm, with the names in them.
    var blobs: [String: (directory: MetadataDirectory, names: [String])] = [:]
    var ingests: [String] = []

    init(_ paths: ContainerdPaths, _ notes: inout ReadingNotes) {
        for snapshotter in Snapshotter.allCases {
            guard let directory = Self.open(paths.snapshots(snapshotter), &notes) else { continue }
            var entries: [String: Entry] = [:]
            for name in Self.names(directory, &notes) {
                guard let status = directory.status(of: name) else { continue }
                var entry = Entry(changed: status.changed, hasLayer: status.kind == .directory)
                if let differences = snapshotter.differences {
                    let layer = directory.status(of: "\(name)/\(differences)")
                    entry.hasLayer = layer?.kind == .directory
                    entry.changed = max(entry.changed, layer?.changed ?? 0)
                }
                entries[name] = entry
            }
            snapshots[snapshotter] = entries
        }
        if let directory = Self.open(paths.blobs, &notes) {
            for algorithm in Self.names(directory, &notes) {
                do throws(MetadataFault) {
                    let child = try directory.child(algorithm)
                    notes.directories.append(child.path)
                    blobs[algorithm] = (child, Self.names(child, &notes))
                } catch {
                    if !error.isMissing { notes.add(error, of: .store) }
                }
            }
        }
        if let directory = Self.open(paths.ingests, &notes) { ingests = Self.names(directory, &notes) }
    }

    /// Opens a directory of the layout, to be watched; `nil` where it is not there.
    static func open(_ path: String, _ notes: inout ReadingNotes) -> MetadataDirectory? {
        if let directory = MetadataDirectory.watched(path, &notes) { return directory }
        notes.directories.append(AbsolutePath.nearestExisting(path))
        return nil
    }

    /// The names in a directory, but those that are no text, which is said.
    static func names(_ directory: MetadataDirectory, _ notes: inout ReadingNotes) -> [String] {
        let (names, fault) = directory.names { _ in true }
        if let fault { notes.add(fault, of: .store) }
        return names.compactMap { name in
            if let text = String(validating: name.bytes, as: UTF8.self) { return text }
            let path = directory.path + "/" + name.escaped
            notes.add(.damaged(path, "its name is not UTF-8, so it is not accounted: remove it"), of: .store)
            return nil
        }
    }
}
