import Accounting

/// An image of the classic store: what `graph/ID` says of its one layer.
struct ClassicImage: Sendable {
    static let files = ["json", "layersize"]

    var parent: String?
    /// Apparent bytes of its own step; `nil` where the engine has not measured it.
    var size: Int64?
    var created: String?
    var comment: String?
    var instruction: String
    var architecture: String?
    var os: String?

    private struct Config: Decodable {
        struct Container: Decodable {
            var command: [String]

            private enum CodingKeys: String, CodingKey {
                case command = "Cmd"
            }

            init(from decoder: any Decoder) throws {
                let values = try decoder.container(keyedBy: CodingKeys.self)
                command = (values.lossy([Lossy<String>].self, .command) ?? []).compactMap(\.value)
            }
        }

        var id: String?
        var parent: String?
        var created: String?
        var comment: String?
        var container: Container?
        var architecture: String?
        var os: String?

        private enum CodingKeys: String, CodingKey {
            case id, parent, created, comment, architecture, os
            case container = "container_config"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            id = values.lossy(String.self, .id)
            parent = values.lossy(String.self, .parent).flatMap { $0.isEmpty ? nil : $0 }
            created = values.lossy(String.self, .created)
            comment = values.lossy(String.self, .comment).flatMap { $0.isEmpty ? nil : $0 }
            container = values.lossy(Container.self, .container)
            architecture = values.lossy(String.self, .architecture).flatMap { $0.isEmpty ? nil : $0 }
            os = values.lossy(String.self, .os).flatMap { $0.isEmpty ? nil : $0 }
        }
    }

    init(
        _ directory: MetadataDirectory, _ id: String, _ notes: inout ReadingNotes
    ) throws(MetadataFault) {
        let path = directory.path + "/json"
        let bytes = try directory.bytes(of: "json", limit: ImageDatabase.configLimit, &notes)
        let config = try MetadataJSON.decode(Config.self, bytes, path: path)
        if let named = config.id, named != id {
            throw MetadataFault.damaged(path, "it is of image \(ObjectID.quoted(named))")
        }
        if let parent = config.parent, !ObjectID.isHex64(parent) {
            throw MetadataFault.damaged(path, "its parent is \(ObjectID.quoted(parent)), not an id")
        }
        parent = config.parent
        created = config.created
        comment = config.comment
        instruction = config.container?.command.joined(separator: " ") ?? ""
        architecture = config.architecture
        os = config.os
        // The engine writes it after the layer; one that is not there yet is no fault.
        guard directory.status(of: "layersize") != nil else { return }
        let text = try directory.line(of: "layersize", &notes)
        guard let size = Int64(text), size >= 0 else {
            throw MetadataFault.damaged(
                directory.path + "/layersize", "it holds \(ObjectID.quoted(text)), not a number of bytes")
        }
        self.size = size
    }
}
