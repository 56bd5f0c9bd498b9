import Accounting

/// What the engine keeps of each container: `containers/ID/config.v2.json`.
struct ContainerDirectory: Sendable {
    struct Entry: Sendable {
        var config: ContainerConfig?
        var faults: [MetadataFault] = []
        /// When the directory last changed, nanoseconds since the epoch.
        var changed: Int64 = 0
    }

    static let configLimit = 4 << 20

    private static let file = "config.v2.json"
    private var cache = StampedCache<Entry>()

    mutating func read(_ paths: DockerPaths, _ notes: inout ReadingNotes) -> [String: Entry] {
        cache.startPass()
        let directory: MetadataDirectory
        do throws(MetadataFault) {
            directory = try MetadataDirectory(path: paths.containers)
        } catch {
            if !error.isMissing { notes.add(error, of: .store) }
            return [:]
        }
        notes.directories.append(directory.path)
        var containers: [String: Entry] = [:]
        for id in directory.names(where: ObjectID.isHex64, &notes) {
            do throws(MetadataFault) {
                let child = try directory.child(id)
                notes.directories.append(child.path)
                containers[id] = entry(id, child, &notes)
            } catch {
                if !error.isMissing { notes.add(error, of: .container(id)) }
            }
        }
        return containers
    }

    private mutating func entry(
        _ id: String, _ directory: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> Entry {
        let stamps = [directory.stamp(of: Self.file)]
        let changed = directory.changed ?? 0
        if var known = cache.value(of: id, stamps: stamps) {
            known.changed = changed
            return known
        }
        var entry = Entry(changed: changed)
        do throws(MetadataFault) {
            let path = directory.path + "/" + Self.file
            let bytes = try directory.bytes(of: Self.file, limit: Self.configLimit, &notes)
            let config = try MetadataJSON.decode(ContainerConfig.self, bytes, path: path)
            entry.config = config
            if let named = config.id, named != id {
                entry.faults.append(.damaged(path, "it is of container \(ObjectID.quoted(named))"))
            }
            cache.keep(entry, for: id, stamps: stamps)
        } catch {
            entry.config = cache.lastValue(of: id)?.config
            entry.faults.append(error)
            cache.keep(entry, for: id, stamps: error.isOfContent ? stamps : nil)
        }
        return entry
    }
}
