import Accounting

/// The names of images: `repositories.json`.
struct RepositoryNames: Sendable {
    static let limit = 64 << 20

    private static let file = "repositories.json"
    private var stamp: FileStamp?
    /// Kept while the file cannot be used.
    private var names: [String: [String]] = [:]
    private var faults: [MetadataFault] = []

    /// `repository:tag` of each image, sorted, by the image's id; `nil` where the file does not exist.
    ///
    /// Names by digest (`repository@sha256:...`) are left out: they are no tags.
    mutating func read(_ metadata: MetadataDirectory, _ notes: inout ReadingNotes) -> [String: [String]]? {
        let now = metadata.stamp(of: Self.file)
        if now == nil {
            self = RepositoryNames()
            return nil
        }
        if now != stamp {
            faults = []
            do throws(MetadataFault) {
                try parse(metadata, &notes)
                stamp = now
            } catch {
                faults.append(error)
                stamp = error.isOfContent ? now : nil
            }
        }
        notes.add(faults, of: .store)
        return names
    }

    private struct Repositories: Decodable {
        var byName: [String: Lossy<[String: Lossy<String>]>]

        private enum CodingKeys: String, CodingKey {
            case byName = "Repositories"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            byName = try values.decodeIfPresent(type(of: byName), forKey: .byName) ?? [:]
        }
    }

    private mutating func parse(
        _ metadata: MetadataDirectory, _ notes: inout ReadingNotes
    ) throws(MetadataFault) {
        let path = metadata.path + "/" + Self.file
        let bytes = try metadata.bytes(of: Self.file, limit: Self.limit, &notes)
        let repositories = try MetadataJSON.decode(Repositories.self, bytes, path: path)
        var names: [String: [String]] = [:]
        var wrong: [String] = []
        for (repository, references) in repositories.byName {
            guard let references = references.value else {
                wrong.append(repository)
                continue
            }
            for (reference, id) in references {
                guard let id = id.value.flatMap(ObjectID.digest) else {
                    wrong.append(reference)
                    continue
                }
                if !reference.contains("@") { names[id, default: []].append(reference) }
            }
        }
        self.names = names.mapValues { $0.sorted() }
        if let first = wrong.min() {
            faults.append(
                .damaged(path, "\(ObjectID.quoted(first)) names no image (\(wrong.count) such in all)"))
        }
    }
}
