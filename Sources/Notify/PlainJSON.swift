internal import FoundationEssentials

/// JSON with the names of properties as they are.
enum PlainJSON {
    static func encode(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts and numbers cannot fail to be encoded.
        return (try? encoder.encode(value)) ?? Data()
    }
}
