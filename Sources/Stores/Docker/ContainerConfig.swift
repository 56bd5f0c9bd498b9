import Accounting

/// What `config.v2.json` says of a container.
struct ContainerConfig: Decodable, Sendable {
    var id: String?
    var name: String
    var image: String?
    var driver: String?
    var logPath: String?
    var created: String?
    var imageName: String?
    var labels: [String: String]
    var isRunning: Bool
    var mounts: [Mount]

    struct Mount: Decodable, Sendable {
        var type: String
        var name: String?
        var source: String
        var destination: String
        var driver: String?

        private enum CodingKeys: String, CodingKey {
            case type = "Type"
            case name = "Name"
            case source = "Source"
            case destination = "Destination"
            case driver = "Driver"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            type = values.lossy(String.self, .type) ?? ""
            name = values.lossy(String.self, .name).flatMap { $0.isEmpty ? nil : $0 }
            source = values.lossy(String.self, .source) ?? ""
            destination = values.lossy(String.self, .destination) ?? ""
            driver = values.lossy(String.self, .driver)
        }
    }

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case image = "Image"
        case driver = "Driver"
        case logPath = "LogPath"
        case created = "Created"
        case config = "Config"
        case state = "State"
        case mounts = "MountPoints"
    }

    private struct Config: Decodable {
        var image: String?
        var labels: [String: String]

        private enum CodingKeys: String, CodingKey {
            case image = "Image"
            case labels = "Labels"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            image = values.lossy(String.self, .image).flatMap { $0.isEmpty ? nil : $0 }
            labels = (values.lossy([String: Lossy<String>].self, .labels) ?? [:]).compactMapValues(\.value)
        }
    }

    private struct State: Decodable {
        var isRunning: Bool

        private enum CodingKeys: String, CodingKey {
            case isRunning = "Running"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            isRunning = values.lossy(Bool.self, .isRunning) ?? false
        }
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = values.lossy(String.self, .id)
        let slashed = values.lossy(String.self, .name) ?? ""
        name = slashed.hasPrefix("/") ? String(slashed.dropFirst()) : slashed
        image = values.lossy(String.self, .image).flatMap { $0.isEmpty ? nil : $0 }
        driver = values.lossy(String.self, .driver).flatMap { $0.isEmpty ? nil : $0 }
        logPath = values.lossy(String.self, .logPath).flatMap { $0.isEmpty ? nil : $0 }
        created = values.lossy(String.self, .created)
        let config = values.lossy(Config.self, .config)
        imageName = config?.image
        labels = config?.labels ?? [:]
        isRunning = values.lossy(State.self, .state)?.isRunning ?? false
        let points = values.lossy([String: Lossy<Mount>].self, .mounts) ?? [:]
        mounts = points.sorted { $0.key < $1.key }.compactMap { destination, mount in
            var mount = mount.value
            if mount?.destination.isEmpty == true { mount?.destination = destination }
            return mount
        }
    }
}

extension ContainerConfig.Mount {
    /// The neutral form; `volumes` is where the engine keeps its own.
    func fact(volumes: String) -> MountFact {
        let kind: MountFact.Kind =
            switch type {
            case "volume": .volume
            case "bind": .bind
            case "tmpfs": .tmpfs
            // Written before engines had types: a volume has a name.
            case "": name == nil ? .bind : .volume
            default: .other
            }
        var source = source
        let isLocal = driver == nil || driver == "" || driver == "local"
        if kind == .volume, source.isEmpty, isLocal, let name, !name.contains("/"), name != "..", name != "."
        {
            source = "\(volumes)/\(name)/_data"
        }
        return MountFact(
            kind: kind, name: kind == .volume ? name : nil, source: source, destination: destination)
    }
}
