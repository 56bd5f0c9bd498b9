/// What one walk of a store's overhead found.
public struct OverheadMeasure: Hashable, Sendable {
    /// All of it, those in groups included.
    public var total: LayerMeasure
    /// What each group takes, by its path below the overhead's directory; see ``OverheadFact/groups``.
    public var groups: [String: Measure]
    /// What of the total lies in each of ``OverheadFact/beside``, by its directory.
    public var beside: [String: Measure]

    public init(
        total: LayerMeasure, groups: [String: Measure] = [:], beside: [String: Measure] = [:]
    ) {
        self.total = total
        self.groups = groups
        self.beside = beside
    }

    /// What some groups take together; those that the walk did not find take nothing.
    public func sum(of groups: [String]) -> Measure {
        groups.compactMap { self.groups[$0] }.sum()
    }
}
