/// An error of the socket: `application/problem+json` (RFC 9457).
public struct Problem: Codable, Hashable, Sendable, Error {
    /// Stable, for programs.
    public enum Kind: String, Codable, Hashable, Sendable {
        case notFound = "urn:usaged:not-found"
        case ambiguous = "urn:usaged:ambiguous"
        case invalidRequest = "urn:usaged:invalid-request"
        case methodNotAllowed = "urn:usaged:method-not-allowed"
        case forbidden = "urn:usaged:forbidden"
        case tooLarge = "urn:usaged:too-large"
        case tooManyRequests = "urn:usaged:too-many-requests"
        case unavailable = "urn:usaged:unavailable"
        case `internal` = "urn:usaged:internal"
    }

    public var type: Kind
    /// The kind in words.
    public var title: String
    /// The HTTP status code.
    public var status: Int
    /// What failed, on which argument, why, and what to do.
    public var detail: String
    /// What an ambiguous prefix could mean.
    public var candidates: [String]?

    public init(_ type: Kind, detail: String, candidates: [String]? = nil) {
        self.type = type
        self.title = type.title
        self.status = type.status
        self.detail = detail
        self.candidates = candidates
    }
}

extension Problem.Kind {
    public var status: Int {
        switch self {
        case .notFound: 404
        case .ambiguous: 409
        case .invalidRequest: 400
        case .methodNotAllowed: 405
        case .forbidden: 403
        case .tooLarge: 413
        case .tooManyRequests: 429
        case .unavailable: 503
        case .internal: 500
        }
    }

    public var title: String {
        switch self {
        case .notFound: "Not found"
        case .ambiguous: "Ambiguous"
        case .invalidRequest: "Invalid request"
        case .methodNotAllowed: "Method not allowed"
        case .forbidden: "Not permitted"
        case .tooLarge: "Too large"
        case .tooManyRequests: "Too many requests"
        case .unavailable: "Unavailable"
        case .internal: "Internal error"
        }
    }
}

/// `GET /healthz`.
public struct Health: Codable, Hashable, Sendable {
    /// `ok`, or `starting` until every store was looked at once.
    public var status: String
    public var version: String
    public var exact: Bool

    public init(status: String, version: String, exact: Bool) {
        self.status = status
        self.version = version
        self.exact = exact
    }
}
