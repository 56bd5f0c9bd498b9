/// What an engine keeps below a directory beside what has a class of its own: its metadata, and the directories that
/// layers lie in.
///
/// It is measured by a walk after the metadata changed, and is not followed.
public struct OverheadFact: Hashable, Sendable {
    /// The absolute path, most often the store's root.
    public var directory: String
    /// Paths below it that count elsewhere, with all below them: layers, trees, mount points.
    public var excluded: [PathPattern]
    /// Paths below it that go together with an object, which names them in its `metadata`.
    ///
    /// Of one inside another, what lies in it is in the inner one alone.
    public var groups: [PathPattern]
    /// What else the store keeps such things in: a root of another engine that it has its layers from.
    ///
    /// It counts as part of this, wherever it lies, and no group of one is called as one of another.
    public var beside: [OverheadFact]

    public init(
        directory: String, excluded: [PathPattern] = [], groups: [PathPattern] = [],
        beside: [OverheadFact] = []
    ) {
        self.directory = directory
        self.excluded = excluded
        self.groups = groups
        self.beside = beside
    }

    /// This and all that is beside it.
    public var parts: [OverheadFact] { [self] + beside.flatMap(\.parts) }

    /// The directory that the path of a group begins in.
    public func directory(ofGroup group: String) -> String {
        let names = group.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
        return parts.first { part in part.groups.contains { $0.matches(names) } }?.directory ?? directory
    }
}
