public import FoundationEssentials

/// JSON as it goes over the socket: snake_case keys, sorted, one line, no escaped slashes.
public enum WireCoding {
    /// The version of the shapes in this module; it changes only when something is taken away.
    public static let schema = 1

    /// Encodes a value as one line of JSON, without a newline at the end.
    public static func encode(_ value: some Encodable) throws -> Data {
        try encoder().encode(value)
    }

    /// Encodes for people: indented.
    public static func encodePretty(_ value: some Encodable) throws -> Data {
        let encoder = encoder()
        encoder.outputFormatting.insert(.prettyPrinted)
        return try encoder.encode(value)
    }

    public static func decode<T: Decodable>(_ type: T.Type, from data: Data) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: data)
    }

    private static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    /// A wall-clock time, nanoseconds since the epoch, as RFC 3339 in UTC with milliseconds.
    public static func timestamp(wallNanoseconds: Int64) -> String {
        let (seconds, rest) = wallNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        // The milliseconds apart: a sum of both as a binary fraction would cut some of them short.
        let milliseconds = String(max(rest, 0) / 1_000_000 + 1000).dropFirst()
        return Date(timeIntervalSince1970: Double(seconds))
            .formatted(.iso8601.year().month().day().time(includingFractionalSeconds: false))
            + ".\(milliseconds)Z"
    }
}
