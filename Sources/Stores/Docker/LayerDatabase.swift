import Accounting

/// The image layers of the store: `layerdb/sha256`, by chain id.
struct LayerDatabase: Sendable {
    struct Entry: Sendable {
        var diffID: String?
        /// The chain id of the layer below; `nil` for the lowest.
        var parent: String?
        var cacheID: String?
        var size: Int64?
        var faults: [MetadataFault] = []
    }

    private static let files = ["diff", "parent", "cache-id", "size"]
    private var cache = StampedCache<Entry>()

    /// All layers by chain id.
    ///
    /// Half-deleted ones (`ID-RANDOM-removing`) and transactions (`tmp`) are none.
    mutating func read(_ paths: DockerPaths, _ notes: inout ReadingNotes) -> [String: Entry] {
        cache.startPass()
        let directory: MetadataDirectory
        do throws(MetadataFault) {
            directory = try MetadataDirectory(path: paths.layers)
        } catch {
            if !error.isMissing { notes.add(error, of: .store) }
            return [:]
        }
        notes.directories.append(directory.path)
        var layers: [String: Entry] = [:]
        for id in directory.names(where: ObjectID.isHex64, &notes) {
            do throws(MetadataFault) {
                layers[id] = entry(id, try directory.child(id), &notes)
            } catch {
                // One that is gone was removed meanwhile.
                if !error.isMissing { notes.add(error, of: .layer(id)) }
            }
        }
        return layers
    }

    private mutating func entry(
        _ id: String, _ directory: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> Entry {
        let stamps = Self.files.map(directory.stamp)
        if let known = cache.value(of: id, stamps: stamps) { return known }
        var entry = Entry()
        var faults: [MetadataFault] = []
        let last = cache.lastValue(of: id)
        let field = MetadataField(directory: directory)
        entry.diffID = field.read("diff", last?.diffID, &faults, &notes) { text throws(BadText) in
            guard let digest = ObjectID.digest(text) else { throw BadText("not a sha256 digest") }
            return digest
        }
        if directory.status(of: "parent") != nil {
            entry.parent = field.read("parent", last?.parent, &faults, &notes) { text throws(BadText) in
                guard let digest = ObjectID.digest(text) else { throw BadText("not a chain id") }
                return digest
            }
        }
        entry.cacheID = field.read("cache-id", last?.cacheID, &faults, &notes) { text throws(BadText) in
            guard ObjectID.isDirectoryID(text) else { throw BadText("not the id of a directory") }
            return text
        }
        entry.size = field.read("size", last?.size, &faults, &notes) { text throws(BadText) in
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let size = Int64(text) else {
                throw BadText("not a number of bytes")
            }
            return size
        }
        entry.faults = faults
        let isFinal = faults.allSatisfy(\.isOfContent)
        cache.keep(entry, for: id, stamps: isFinal ? stamps : nil)
        return entry
    }
}
