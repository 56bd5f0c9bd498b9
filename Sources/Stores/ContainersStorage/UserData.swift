import Accounting
import Kernel

/// What the store keeps of each container in a directory: `overlay-containers/ID/userdata`.
struct UserData: Sendable {
    struct Entry: Sendable {
        var config: BundleConfig?
        var faults: [MetadataFault] = []
        /// Whether `userdata` itself is there.
        var isThere = false
        /// Whether the container's log is there: `ctr.log`, with what is left of it by rotation.
        var hasLog = false
        /// Whether the container's shared memory is mounted, as it is while the container runs.
        var hasMount = false
    }

    struct Result: Sendable {
        var entries: [String: Entry] = [:]
        /// Whether every directory is among the entries.
        var isComplete = true
    }

    static let configLimit = 4 << 20
    static let directory = "userdata"
    static let log = NamePattern(stringLiteral: "ctr.log*")

    private static let file = "config.json"
    private var cache = StampedCache<Entry>()

    /// What is kept of the containers of `ids`, and the logs of others that are left.
    mutating func read(
        _ paths: ContainersStoragePaths, _ ids: Set<String>, _ notes: inout ReadingNotes
    ) -> Result {
        cache.startPass()
        var result = Result()
        guard let directory = MetadataDirectory.watched(paths.containers, &notes) else { return result }
        let (names, fault) = directory.names { (_: FileName) in true }
        if let fault {
            notes.add(fault, of: .store)
            result.isComplete = false
        }
        for name in names where directory.isDirectory(name) {
            let id = String(decoding: name.bytes, as: UTF8.self)
            guard ObjectID.isDirectoryID(id) else {
                result.isComplete = false
                continue
            }
            do throws(MetadataFault) {
                let container = try directory.child(id)
                do throws(MetadataFault) {
                    let child = try container.child(Self.directory)
                    result.entries[id] = entry(id, child, ids.contains(id), &notes)
                } catch {
                    // It is made right after the directory.
                    if ids.contains(id) { notes.directories.append(container.path) }
                    result.entries[id] = Entry(faults: error.isMissing ? [] : [error])
                }
            } catch {
                if !error.isMissing { notes.add(error, of: .container(id)) }
            }
        }
        return result
    }

    private mutating func entry(
        _ id: String, _ directory: MetadataDirectory, _ isContainer: Bool, _ notes: inout ReadingNotes
    ) -> Entry {
        notes.directories.append(directory.path)
        let (logs, fault) = directory.names { (name: FileName) in Self.log.matches(name.bytes) }
        var entry = isContainer ? config(id, directory, &notes) : Entry()
        entry.isThere = true
        entry.hasLog = !logs.isEmpty
        entry.hasMount = directory.isMountPoint("shm")
        if let fault { entry.faults.append(fault) }
        return entry
    }

    private mutating func config(
        _ id: String, _ directory: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> Entry {
        // A container that was never started has none.
        guard let stamp = directory.stamp(of: Self.file) else { return Entry() }
        if let known = cache.value(of: id, stamps: [stamp]) { return known }
        var entry = Entry()
        do throws(MetadataFault) {
            let bytes = try directory.bytes(of: Self.file, limit: Self.configLimit, &notes)
            entry.config = try MetadataJSON.decode(
                BundleConfig.self, bytes, path: directory.path + "/" + Self.file)
            cache.keep(entry, for: id, stamps: [stamp])
        } catch {
            if error.isMissing { return entry }
            entry.config = cache.lastValue(of: id)?.config
            entry.faults.append(error)
            cache.keep(entry, for: id, stamps: error.isOfContent ? [stamp] : nil)
        }
        return entry
    }
}

extension MetadataDirectory {
    /// Whether the entry is a directory itself, and no symbolic link to one.
    func isDirectory(_ name: FileName) -> Bool {
        missingDirectory(name) == nil
    }

    /// Whether something is mounted on the directory `name`, as far as this mount namespace shows it.
    func isMountPoint(_ name: String) -> Bool {
        guard let below = status(of: name), below.kind == .directory, let own = status(of: ".") else {
            return false
        }
        return below.identity.device != own.identity.device
    }
}
