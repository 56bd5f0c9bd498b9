import Accounting

/// The writable layers of the store: `layerdb/mounts`, by the name of their owner.
///
/// The owner is a container's id of 64 digits, or a name that BuildKit made for a step it runs.
struct MountDatabase: Sendable {
    struct Entry: Sendable {
        var mountID: String?
        var initID: String?
        /// The chain id of the image's highest layer; `nil` for a container on nothing.
        var parent: String?
        var faults: [MetadataFault] = []
        /// When the entry was made or last changed, nanoseconds since the epoch.
        var changed: Int64 = 0
    }

    private static let files = ["mount-id", "init-id", "parent"]
    private var cache = StampedCache<Entry>()

    mutating func read(_ paths: DockerPaths, _ notes: inout ReadingNotes) -> [String: Entry] {
        cache.startPass()
        let directory: MetadataDirectory
        do throws(MetadataFault) {
            directory = try MetadataDirectory(path: paths.mounts)
        } catch {
            if !error.isMissing { notes.add(error, of: .store) }
            return [:]
        }
        notes.directories.append(directory.path)
        var mounts: [String: Entry] = [:]
        for name in directory.names(where: ObjectID.isDirectoryID, &notes) {
            do throws(MetadataFault) {
                let child = try directory.child(name)
                notes.directories.append(child.path)
                mounts[name] = entry(name, child, &notes)
            } catch {
                if !error.isMissing { notes.add(error, of: .container(name)) }
            }
        }
        return mounts
    }

    private mutating func entry(
        _ name: String, _ directory: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> Entry {
        let stamps = Self.files.map(directory.stamp)
        let changed = directory.changed ?? 0
        if var known = cache.value(of: name, stamps: stamps) {
            known.changed = changed
            return known
        }
        var entry = Entry(changed: changed)
        var faults: [MetadataFault] = []
        let last = cache.lastValue(of: name)
        let field = MetadataField(directory: directory)
        let directoryID: (String) throws(BadText) -> String = { text throws(BadText) in
            guard ObjectID.isDirectoryID(text) else { throw BadText("not the id of a directory") }
            return text
        }
        entry.mountID = field.read("mount-id", last?.mountID, &faults, &notes, directoryID)
        if directory.status(of: "init-id") != nil {
            entry.initID = field.read("init-id", last?.initID, &faults, &notes, directoryID)
        }
        if directory.status(of: "parent") != nil {
            entry.parent = field.read("parent", last?.parent, &faults, &notes) { text throws(BadText) in
                guard let digest = ObjectID.digest(text) else { throw BadText("not a chain id") }
                return digest
            }
        }
        entry.faults = faults
        let isFinal = faults.allSatisfy(\.isOfContent)
        cache.keep(entry, for: name, stamps: isFinal ? stamps : nil)
        return entry
    }
}
