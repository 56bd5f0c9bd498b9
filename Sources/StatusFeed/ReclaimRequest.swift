import Wire

/// What `POST /v1/reclaim` asks about: `?id=ID`, repeated, or `?all-unused=1`, and `&stopped=1`.
public struct ReclaimRequest: Hashable, Sendable {
    static let maximumReferences = 1000

    /// Names and ids, or unambiguous prefixes of either, of images, containers, volumes and orphans.
    public var references: [String]
    /// Everything that nothing uses.
    public var allUnused: Bool
    /// Containers that do not run count as going, with ``allUnused``.
    public var withStopped: Bool

    public init(references: [String] = [], allUnused: Bool = false, withStopped: Bool = false) {
        self.references = references
        self.allUnused = allUnused
        self.withStopped = withStopped
    }

    init(_ target: RequestTarget) throws(Problem) {
        self.init(
            references: try target.parameters("id"), allUnused: try target.flag("all-unused"),
            withStopped: try target.flag("stopped"))
        guard allUnused || !references.isEmpty else {
            throw Problem(
                .invalidRequest,
                detail: "nothing is asked about: give id=ID, as often as needed, or all-unused=1")
        }
        guard references.count <= Self.maximumReferences else {
            throw Problem(
                .invalidRequest, detail: "more than \(Self.maximumReferences) ids; ask about fewer at once")
        }
    }
}

extension RequestTarget {
    /// Whether a parameter is there that is not `0`.
    fileprivate func flag(_ name: String) throws(Problem) -> Bool {
        try parameter(name).map { $0 != "0" } ?? false
    }
}
