/// Layers of one store by their ids, found by position.
struct LayerChain: Sendable {
    let ids: [String]
    /// Where the members of ``ids`` stand in the store's layout.
    let positions: [Int]

    init(_ ids: some Collection<String>, _ members: [String: Int]) {
        self.ids = Array(ids)
        positions = ids.compactMap { members[$0] }
    }

    /// Whether the store has all of its layers.
    var isComplete: Bool { positions.count == ids.count }
}

/// What is known of one layer or tree.
struct LayerFigure {
    var measure: LayerMeasure
    var confidence: Confidence
    /// Whether it was looked at once; else the measure is what the engine says.
    var isMeasured = true
    /// When it was found, nanoseconds since the epoch.
    var lookedAt: Int64?
}

/// The layers whose directories hold the whole root file system up to them, so that their apparent sizes do not add up.
struct FullCopies: Sendable {
    private let declared: [String: Int64?]

    init(_ layers: [LayerFact]) {
        declared = Dictionary(
            layers.lazy.filter(\.isFullCopy).map { ($0.id, $0.declaredSizeBytes) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The measure of a chain with the apparent size that the engine declared for each of its steps; of one for which
    /// it did not, the sum stays.
    func corrected(_ sum: Measure, chain: [String]) -> Measure {
        guard !declared.isEmpty, chain.contains(where: { declared[$0] != nil }) else { return sum }
        var size: Int64 = 0
        for layer in chain {
            guard case .some(.some(let bytes)) = declared[layer] else { return sum }
            size = size.addingClamped(bytes)
        }
        var result = sum
        result.sizeBytes = size
        return result
    }
}
