/// What one walk of a store's overhead found.
public struct OverheadMeasure: Hashable, Sendable {
    /// All of it, those in groups included.
    public var total: LayerMeasure
    /// What each group takes, by its path below the overhead's directory; see ``OverheadFact/groups``.
    public var groups: [String: Measure]

    public init(total: LayerMeasure, groups: [String: Measure] = [:]) {
        self.total = total
        self.groups = groups
    }
}
