/// A directory that an engine made for containers to share and to keep.
public struct VolumeFact: Hashable, Sendable {
    /// The engine's name of it; of one that nobody named, the id that the engine made up.
    public var name: String
    /// The ``TreeFact`` that holds its files; `nil` where they are on another device or host, so that nothing is
    /// charged.
    public var tree: String?
    /// Where its files are; for messages, where there is no tree.
    public var source: String
    public var driver: String
    /// Whether the engine made up its name.
    public var isAnonymous: Bool
    public var labels: [String: String]
    /// RFC 3339.
    public var created: String?
    /// The groups of ``OverheadFact`` that go when it goes.
    public var metadata: [String]

    public init(
        name: String, tree: String?, source: String, driver: String = "local", isAnonymous: Bool = false,
        labels: [String: String] = [:], created: String? = nil, metadata: [String] = []
    ) {
        self.name = name
        self.tree = tree
        self.source = source
        self.driver = driver
        self.isAnonymous = isAnonymous
        self.labels = labels
        self.created = created
        self.metadata = metadata
    }
}
