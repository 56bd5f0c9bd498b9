import Accounting

/// A container of the classic store: `containers/ID/config.json`.
struct ClassicContainer: Sendable {
    static let file = "config.json"

    var config: ContainerConfig
    /// Paths on the host by paths in the container.
    var volumes: [String: String]

    private struct Volumes: Decodable {
        var paths: [String: String]

        private enum CodingKeys: String, CodingKey {
            case paths = "Volumes"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            paths = (values.lossy([String: Lossy<String>].self, .paths) ?? [:]).compactMapValues(\.value)
        }
    }

    init(
        _ directory: MetadataDirectory, _ id: String, _ notes: inout ReadingNotes
    ) throws(MetadataFault) {
        let path = directory.path + "/" + Self.file
        let bytes = try directory.bytes(of: Self.file, limit: ContainerDirectory.configLimit, &notes)
        config = try MetadataJSON.decode(ContainerConfig.self, bytes, path: path)
        if let named = config.id, named != id {
            throw MetadataFault.damaged(path, "it is of container \(ObjectID.quoted(named))")
        }
        volumes = try MetadataJSON.decode(Volumes.self, bytes, path: path).paths
    }
}

/// A volume of the classic store: `volumes/ID/json` or, later, `config.json`.
struct ClassicVolume: Sendable {
    static let files = ["json", "config.json"]

    /// Whether it is a directory of the host's that the engine did not make.
    var isBind: Bool
    var path: String

    private struct Config: Decodable {
        var isBind: Bool
        var path: String

        private enum CodingKeys: String, CodingKey {
            case isBind = "IsBindMount"
            case path = "Path"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            isBind = values.lossy(Bool.self, .isBind) ?? false
            path = values.lossy(String.self, .path) ?? ""
        }
    }

    init(_ directory: MetadataDirectory, _ notes: inout ReadingNotes) throws(MetadataFault) {
        let name = Self.files.first { directory.status(of: $0) != nil } ?? Self.files[0]
        let bytes = try directory.bytes(of: name, limit: 1 << 20, &notes)
        let config = try MetadataJSON.decode(Config.self, bytes, path: "\(directory.path)/\(name)")
        isBind = config.isBind
        path = config.path
    }
}
