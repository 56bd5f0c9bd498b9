import Accounting
import Kernel

/// The images of the store: `imagedb`, with each image's parent.
struct ImageDatabase: Sendable {
    struct Entry: Sendable {
        var config: ImageConfig?
        var parent: String?
        var faults: [MetadataFault] = []
    }

    static let configLimit = 4 << 20

    private var configs = StampedCache<Entry>()
    private var parents = StampedCache<Entry>()

    /// All images by id.
    mutating func read(_ paths: DockerPaths, _ notes: inout ReadingNotes) -> [String: Entry] {
        configs.startPass()
        parents.startPass()
        var metadata: MetadataDirectory?
        do throws(MetadataFault) {
            metadata = try MetadataDirectory(path: paths.imageMetadata)
        } catch {
            if !error.isMissing { notes.add(error, of: .store) }
        }
        readDirectories(metadata, &notes)
        let content: MetadataDirectory
        do throws(MetadataFault) {
            content = try MetadataDirectory(path: paths.imageConfigs)
        } catch {
            if !error.isMissing { notes.add(error, of: .store) }
            return [:]
        }
        notes.directories.append(content.path)
        var images: [String: Entry] = [:]
        for id in content.names(where: ObjectID.isHex64, &notes) {
            guard let stamp = content.stamp(of: id) else { continue }
            var entry = config(id, stamp, content, &notes)
            do throws(MetadataFault) {
                let parent = try (metadata?.child(id)).map { self.parent(id, $0, &notes) }
                entry.parent = parent?.parent
                entry.faults += parent?.faults ?? []
            } catch {
                if !error.isMissing { entry.faults.append(error) }
            }
            images[id] = entry
        }
        return images
    }

    private func readDirectories(_ metadata: MetadataDirectory?, _ notes: inout ReadingNotes) {
        guard let metadata else { return }
        notes.directories.append(metadata.path)
        for name in metadata.names(where: ObjectID.isHex64, &notes)
        where metadata.status(of: name)?.kind == .directory {
            notes.directories.append(metadata.path + "/" + name)
        }
    }

    private mutating func config(
        _ id: String, _ stamp: FileStamp, _ content: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> Entry {
        if let known = configs.value(of: id, stamps: [stamp]) { return known }
        var entry = Entry()
        do throws(MetadataFault) {
            let bytes = try content.bytes(of: id, limit: Self.configLimit, &notes)
            let path = content.path + "/" + id
            let config = try MetadataJSON.decode(ImageConfig.self, bytes, path: path)
            entry.config = config
            if config.diffIDs == nil {
                entry.faults.append(
                    .damaged(path, "it names no layers: rootfs.diff_ids is missing or no list"))
            }
            configs.keep(entry, for: id, stamps: [stamp])
        } catch {
            // The content of an id never changes: what was read of it before is still true.
            entry.config = configs.lastValue(of: id)?.config
            entry.faults.append(error)
            configs.keep(entry, for: id, stamps: error.isOfContent ? [stamp] : nil)
        }
        return entry
    }

    private mutating func parent(
        _ id: String, _ directory: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> Entry {
        // An image that was pulled, or built on nothing, has no parent.
        guard let stamp = directory.stamp(of: "parent") else { return Entry() }
        if let known = parents.value(of: id, stamps: [stamp]) { return known }
        var entry = Entry()
        do throws(MetadataFault) {
            let text = try directory.line(of: "parent", &notes)
            guard let parent = ObjectID.digest(text) else {
                throw MetadataFault.damaged(
                    directory.path + "/parent", "it holds \(ObjectID.quoted(text)), not the id of an image")
            }
            entry.parent = parent
            parents.keep(entry, for: id, stamps: [stamp])
        } catch {
            if error.isMissing { return entry }
            entry.parent = parents.lastValue(of: id)?.parent
            entry.faults.append(error)
            parents.keep(entry, for: id, stamps: error.isOfContent ? [stamp] : nil)
        }
        return entry
    }
}
