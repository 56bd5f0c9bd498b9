import Wire

/// The path and the query of a request, as they came, before decoding.
///
/// RFC 9112, section 3.2: the origin form `/path?query`, and the absolute form that proxies send.
struct RequestTarget {
    /// Between the slashes, still percent-encoded.
    var segments: [Substring]
    private var query: Substring

    init(_ target: String) throws(Problem) {
        var rest = target[...]
        if !rest.hasPrefix("/"), let scheme = rest.firstRange(of: "://") {
            let afterScheme = rest[scheme.upperBound...]
            rest = afterScheme.firstIndex(of: "/").map { afterScheme[$0...] } ?? "/"
        }
        guard rest.hasPrefix("/") else {
            throw Problem(
                .invalidRequest, detail: "the request target does not start with a slash; ask for a path")
        }
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        } else {
            query = ""
        }
        segments = rest.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    /// The decoded value of a parameter of the query, the first where there are several.
    func parameter(_ name: String) throws(Problem) -> String? {
        try parameters(name).first
    }

    /// The value of a parameter that is a number of things; `nil` where it is not there.
    func count(_ name: String) throws(Problem) -> Int? {
        guard let text = try parameter(name) else { return nil }
        guard text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let count = Int(text)
        else {
            throw Problem(.invalidRequest, detail: "\(name)= takes a number, such as \(name)=10")
        }
        return count
    }

    /// The decoded values of a parameter of the query, in their order.
    func parameters(_ name: String) throws(Problem) -> [String] {
        var values: [String] = []
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = parts.first, key == name else { continue }
            values.append(try PercentCoding.decode(parts.count > 1 ? parts[1] : ""))
        }
        return values
    }
}

enum PercentCoding {
    /// Decodes `%XX` once; the result must be UTF-8 without control characters.
    static func decode(_ text: Substring) throws(Problem) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(nibble), let low = iterator.next().flatMap(nibble) else {
                throw Problem(
                    .invalidRequest,
                    detail: "the path or query holds a % that two hexadecimal digits do not follow; write %25"
                )
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self),
            bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else {
            throw Problem(
                .invalidRequest,
                detail:
                    "the path or query holds control characters or bytes that are not UTF-8 after decoding")
        }
        return decoded
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
