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

    public init(directory: String, excluded: [PathPattern] = [], groups: [PathPattern] = []) {
        self.directory = directory
        self.excluded = excluded
        self.groups = groups
    }
}
