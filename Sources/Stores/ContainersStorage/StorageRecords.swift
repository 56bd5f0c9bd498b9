/// A layer as `layers.json` has it.
///
/// The forms of the three files: `layers.go`, `images.go` and `containers.go` of containers/storage.
struct LayerRecord: Decodable, Sendable, StorageRecord {
    static let kind = "layer"

    var id: String
    /// The layer below, in this store or in another that is read beside it.
    var parent: String?
    /// `sha256:HEX` of the uncompressed tar stream; a writable layer has none.
    var diffDigest: String?
    /// The length of the uncompressed tar stream, its headers and padding included.
    var diffSize: Int64?
    /// Whether it is being made or removed.
    var isIncomplete: Bool
    /// Whether it has a digest of any kind, so that it was made from an image.
    var hasContent: Bool

    private enum CodingKeys: String, CodingKey {
        case id, parent, flags
        case diffDigest = "diff-digest"
        case diffSize = "diff-size"
        case tocDigest = "toc-digest"
        case compressedDigest = "compressed-diff-digest"
    }

    private struct Flags: Decodable {
        var isIncomplete: Bool

        private enum CodingKeys: String, CodingKey {
            case isIncomplete = "incomplete"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            isIncomplete = values.lossy(Bool.self, .isIncomplete) ?? false
        }
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        parent = try values.decodeIfPresent(String.self, forKey: .parent).flatMap { $0.isEmpty ? nil : $0 }
        diffDigest = values.lossy(String.self, .diffDigest)
        diffSize = values.lossy(Int64.self, .diffSize)
        isIncomplete = values.lossy(Flags.self, .flags)?.isIncomplete ?? false
        hasContent = diffDigest != nil || values.contains(.tocDigest) || values.contains(.compressedDigest)
    }
}

/// An image as `images.json` has it.
struct ImageRecord: Decodable, Sendable, StorageRecord {
    static let kind = "image"

    var id: String
    var names: [String]
    /// The highest layer; a list of images, for example, has none.
    var layer: String?
    /// The highest layer once more for each mapping of user ids that it was needed with.
    var mappedLayers: [String]
    var bigDataNames: [String]

    private enum CodingKeys: String, CodingKey {
        case id, names, layer
        case mappedLayers = "mapped-layers"
        case bigDataNames = "big-data-names"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        names = values.strings(.names)
        layer = try values.decodeIfPresent(String.self, forKey: .layer).flatMap { $0.isEmpty ? nil : $0 }
        mappedLayers = values.strings(.mappedLayers)
        bigDataNames = values.strings(.bigDataNames)
    }
}

/// A container as `containers.json` has it.
struct ContainerRecord: Decodable, Sendable, StorageRecord {
    static let kind = "container"

    var id: String
    var names: [String]
    /// The image's id; `nil` for a container on nothing.
    var image: String?
    /// The writable layer.
    var layer: String
    var metadata: Metadata?
    var created: String?

    /// What the engine keeps for itself in the record: JSON in a string.
    struct Metadata: Decodable, Sendable {
        var name: String?
        var imageName: String?

        private enum CodingKeys: String, CodingKey {
            case name
            case imageName = "image-name"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            name = values.lossy(String.self, .name).flatMap { $0.isEmpty ? nil : $0 }
            imageName = values.lossy(String.self, .imageName).flatMap { $0.isEmpty ? nil : $0 }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case id, names, image, layer, metadata, created
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        names = values.strings(.names)
        image = values.lossy(String.self, .image).flatMap { $0.isEmpty ? nil : $0 }
        layer = try values.decode(String.self, forKey: .layer)
        metadata = values.lossy(String.self, .metadata).flatMap(MetadataJSON.parse)
        created = values.lossy(String.self, .created)
    }
}

/// A member of one of the store's lists.
protocol StorageRecord: Decodable, Sendable {
    /// What it is of, for messages.
    static var kind: String { get }
    var id: String { get }
}

extension KeyedDecodingContainer {
    /// The strings of a list, without what else is in it.
    fileprivate func strings(_ key: Key) -> [String] {
        (lossy([Lossy<String>].self, key) ?? []).compactMap(\.value)
    }
}
