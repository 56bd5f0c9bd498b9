import Accounting
import FoundationEssentials

/// The configurations of images: an item of each image's big data, in `overlay-images/ID`.
struct ImageConfigs: Sendable {
    struct Entry: Sendable {
        var config: ImageConfig?
        var faults: [MetadataFault] = []
        /// Whether the image has a directory.
        var isThere = false
    }

    static let limit = 4 << 20

    private var cache = StampedCache<Entry>()

    mutating func read(
        _ paths: ContainersStoragePaths, _ images: [String: ImageRecord], _ notes: inout ReadingNotes
    ) -> [String: Entry] {
        cache.startPass()
        let directory: MetadataDirectory
        do throws(MetadataFault) {
            directory = try MetadataDirectory(path: paths.images)
        } catch {
            if !error.isMissing { notes.add(error, of: .store) }
            return [:]
        }
        notes.directories.append(directory.path)
        var entries: [String: Entry] = [:]
        for (id, image) in images.sorted(by: { $0.key < $1.key }) {
            entries[id] = entry(id, image, directory, &notes)
        }
        return entries
    }

    private mutating func entry(
        _ id: String, _ image: ImageRecord, _ directory: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> Entry {
        let child: MetadataDirectory
        do throws(MetadataFault) {
            child = try directory.child(id)
        } catch {
            // An image without big data has none.
            let isMissing = error.isMissing && image.bigDataNames.isEmpty
            return Entry(faults: isMissing ? [] : [error])
        }
        guard let file = Self.configFile(id, image) else { return Entry(isThere: true) }
        let stamps = [child.stamp(of: file)]
        if let known = cache.value(of: id, stamps: stamps) { return known }
        var entry = Entry(isThere: true)
        do throws(MetadataFault) {
            let bytes = try child.bytes(of: file, limit: Self.limit, &notes)
            entry.config = try MetadataJSON.decode(ImageConfig.self, bytes, path: child.path + "/" + file)
            cache.keep(entry, for: id, stamps: stamps)
        } catch {
            // The content of a digest never changes: what was read of it before is still true.
            entry.config = cache.lastValue(of: id)?.config
            entry.faults.append(error)
            cache.keep(entry, for: id, stamps: error.isOfContent ? stamps : nil)
        }
        if !entry.faults.isEmpty { notes.directories.append(child.path) }
        return entry
    }

    /// The item that is named by a digest alone: most often the image's id is that digest.
    private static func configFile(_ id: String, _ image: ImageRecord) -> String? {
        let digests = image.bigDataNames.filter { ObjectID.digest($0) != nil }
        let name = digests.first { $0 == "sha256:" + id } ?? (digests.count == 1 ? digests.first : nil)
        return name.map(fileName)
    }

    /// The name of the file of an item, as `makeBigDataBaseName` of containers/storage has it.
    static func fileName(_ item: String) -> String {
        let isPlain = item.utf8.allSatisfy {
            $0 == 0x2E || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0)
        }
        return isPlain ? item : "=" + Data(item.utf8).base64EncodedString()
    }
}
