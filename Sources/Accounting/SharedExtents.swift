/// What of layers lies in blocks that another layer, or another file of the same, is charged for.
public struct SharedExtents: Hashable, Sendable {
    /// Allocated bytes by layer or tree; those with none are absent.
    public var chargedElsewhere: [LayerKey: Int64]
    /// Whether all shared extents were taken in; else there were too many, and sums are too large.
    public var isComplete: Bool

    public init(chargedElsewhere: [LayerKey: Int64], isComplete: Bool = true) {
        self.chargedElsewhere = chargedElsewhere
        self.isComplete = isComplete
    }
}
