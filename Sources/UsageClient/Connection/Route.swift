/// A request to the daemon.
public struct Route: Hashable, Sendable {
    public var method: String
    /// The path as it goes over the socket, percent-encoded.
    public var path: String

    private init(_ path: String, method: String = "GET") {
        self.method = method
        self.path = path
    }

    public static let status = Route("/v1/status")
    /// The status with so many images, containers, volumes and orphans, those that take most.
    public static func status(top: Int) -> Route { Route("/v1/status?top=\(top)") }

    public static let images = Route("/v1/images")
    public static let tree = Route("/v1/tree")
    public static let layers = Route("/v1/layers")
    public static let containers = Route("/v1/containers")
    public static let volumes = Route("/v1/volumes")
    public static let orphans = Route("/v1/orphans")
    public static let alerts = Route("/v1/alerts")
    public static let doctor = Route("/v1/doctor")
    public static let feed = Route("/v1/feed")
    public static let health = Route("/healthz")

    public static func image(_ reference: String) -> Route {
        Route("/v1/images/\(encode(reference))")
    }

    public static func container(_ reference: String) -> Route {
        Route("/v1/containers/\(encode(reference))")
    }

    public static func explain(_ reference: String) -> Route {
        Route("/v1/explain/\(encode(reference))")
    }

    /// Asks what would come free; nothing is deleted.
    public static func reclaim(
        _ references: [String], allUnused: Bool = false, withStopped: Bool = false
    ) -> Route {
        let query =
            references.map { "id=\(encode($0))" } + (allUnused ? ["all-unused=1"] : [])
            + (withStopped ? ["stopped=1"] : [])
        return Route("/v1/reclaim?\(query.joined(separator: "&"))", method: "POST")
    }

    public static func since(_ mark: String) -> Route {
        Route("/v1/since/\(encode(mark))")
    }

    public static func setMark(_ name: String) -> Route {
        Route("/v1/marks/\(encode(name))", method: "POST")
    }

    /// One segment of a path: all but the unreserved characters of RFC 3986 as `%NN`.
    static func encode(_ segment: String) -> String {
        var result = ""
        for byte in segment.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                result += "%" + (hex.utf8.count == 1 ? "0" : "") + hex
            }
        }
        // A segment of dots alone would be taken for a step in the hierarchy.
        return segment == "." || segment == ".." ? segment.replacing(".", with: "%2E") : result
    }
}
