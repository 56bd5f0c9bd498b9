import Accounting

/// The JSON blobs of the content store: indexes, manifests and configurations of images.
///
/// A blob is named by its digest, so what was parsed of it stays true; the digest is checked.
struct ContentDocuments: Sendable {
    enum Document: Sendable {
        /// The digests of manifests, or of other indexes.
        case index([String])
        case manifest(config: String, layers: [String])
        case config(ImageConfig)
    }

    enum Result: Sendable {
        case document(Document)
        case missing
        case unusable(MetadataFault)
    }

    /// containerd reads manifests of up to 8 MiB.
    static let limit = 8 << 20

    private var cache = StampedCache<Result>()

    mutating func startPass() {
        cache.startPass()
    }

    /// Reads the blob `digest` (`ALGORITHM:HEX`), from the directories of blobs by algorithm.
    mutating func read(
        _ digest: String, in blobs: [String: MetadataDirectory], _ notes: inout ReadingNotes
    ) -> Result {
        guard let (algorithm, hex) = Self.parts(of: digest), let directory = blobs[algorithm],
            let stamp = directory.stamp(of: hex)
        else { return .missing }
        if let known = cache.value(of: digest, stamps: [stamp]) { return known }
        do throws(MetadataFault) {
            let bytes = try directory.bytes(of: hex, limit: Self.limit, &notes)
            let path = directory.path + "/" + hex
            if algorithm == "sha256", SHA256.hex(bytes) != hex {
                throw MetadataFault.damaged(path, "its content is not of the digest that it is named by")
            }
            let result = Result.document(try MetadataJSON.decode(Parsed.self, bytes, path: path).document)
            cache.keep(result, for: digest, stamps: [stamp])
            return result
        } catch {
            if error.isMissing { return .missing }
            let result = Result.unusable(error)
            cache.keep(result, for: digest, stamps: error.isOfContent ? [stamp] : nil)
            return result
        }
    }

    /// The algorithm and the digits of a digest, which become parts of a path.
    static func parts(of digest: String) -> (algorithm: String, hex: String)? {
        let parts = digest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, isName(parts[0]), parts[1].utf8.count >= 32, isName(parts[1]) else {
            return nil
        }
        return (String(parts[0]), String(parts[1]))
    }

    private static func isName(_ text: Substring) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }
    }

    private struct Parsed: Decodable {
        struct Descriptor: Decodable {
            var digest: String
        }

        var document: Document

        private enum CodingKeys: String, CodingKey {
            case manifests, config, layers, rootfs
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            if let manifests = values.lossy([Lossy<Descriptor>].self, .manifests) {
                document = .index(manifests.compactMap(\.value?.digest))
            } else if let layers = values.lossy([Lossy<Descriptor>].self, .layers),
                let config = values.lossy(Descriptor.self, .config)
            {
                document = .manifest(config: config.digest, layers: layers.compactMap(\.value?.digest))
            } else {
                document = .config(try ImageConfig(from: decoder))
            }
        }
    }
}
