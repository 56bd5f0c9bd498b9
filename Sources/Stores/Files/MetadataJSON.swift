import Accounting
import FoundationEssentials

/// Decodes an engine's JSON, of which any part may be missing or of another type.
enum MetadataJSON {
    /// Decodes a file's content.
    ///
    /// What starts like an object, or like what `opening` begins, but does not parse may be half-written; anything
    /// else is damaged.
    static func decode<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8], path: String, opening: Unicode.Scalar = "{"
    ) throws(MetadataFault) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch DecodingError.dataCorrupted {
            let first = bytes.first { $0 != 0x20 && !(0x09...0x0D).contains($0) }
            if first == UInt8(ascii: opening) {
                throw MetadataFault.pending(path, "it is not complete JSON")
            }
            throw MetadataFault.damaged(path, "it is not JSON")
        } catch {
            let form = opening == "[" ? "list" : "object"
            throw MetadataFault.damaged(path, "it is JSON of another form: no \(form) at the top")
        }
    }

    /// Decodes text that stands in a field; `nil` where it is no such JSON.
    static func parse<Value: Decodable>(_ text: String) -> Value? {
        try? JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }
}

extension KeyedDecodingContainer {
    /// The value, or `nil` where it is missing or of another type.
    func lossy<Value: Decodable>(_ type: Value.Type, _ key: Key) -> Value? {
        (try? decodeIfPresent(type, forKey: key)) ?? nil
    }
}

/// A value that decodes to `nil` where it is of another type, so that a collection keeps its other members.
struct Lossy<Value: Decodable>: Decodable {
    let value: Value?

    init(from decoder: any Decoder) throws {
        value = try? decoder.singleValueContainer().decode(Value.self)
    }
}
