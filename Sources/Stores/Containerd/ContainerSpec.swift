/// What is mounted into a container, from its runtime specification.
struct ContainerSpec: Decodable, Sendable {
    struct Mount: Decodable, Sendable {
        var type: String
        var source: String
        var destination: String
        var options: [String]

        private enum CodingKeys: String, CodingKey {
            case type, source, destination, options
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            type = values.lossy(String.self, .type) ?? ""
            source = values.lossy(String.self, .source) ?? ""
            destination = values.lossy(String.self, .destination) ?? ""
            options = (values.lossy([Lossy<String>].self, .options) ?? []).compactMap(\.value)
        }

        var isBind: Bool { type == "bind" || options.contains("bind") || options.contains("rbind") }
    }

    static let maximumMounts = 1000

    var mounts: [Mount] = []

    private enum CodingKeys: String, CodingKey {
        case mounts
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        mounts = (values.lossy([Lossy<Mount>].self, .mounts) ?? []).compactMap(\.value)
        mounts = Array(mounts.prefix(Self.maximumMounts))
    }

    /// Parses the message `google.protobuf.Any` (1: type, 2: value) around the JSON; `nil` where there is none.
    static func parse(_ message: ArraySlice<UInt8>) -> ContainerSpec? {
        var rest = message
        while let tag = rest.popFirst() {
            var length = 0
            var shift = 0
            repeat {
                guard let byte = rest.popFirst(), shift <= 28 else { return nil }
                length |= Int(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { break }
            } while true
            // Both fields are of a length that is told.
            guard tag & 7 == 2, length <= rest.count else { return nil }
            if tag >> 3 == 2 {
                return try? MetadataJSON.decode(ContainerSpec.self, Array(rest.prefix(length)), path: "")
            }
            rest = rest.dropFirst(length)
        }
        return nil
    }
}
