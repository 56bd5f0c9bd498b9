/// The images of one store with their figures, from the store's facts and the measures of its layers.
///
/// It is made anew when facts or image layers change, which is rare, and not when a container writes.
struct ImageBook {
    let images: [ImageUsage]
    /// For each layer, the ids of the images whose chain holds it.
    let users: [String: [String]]
    /// The first name of each image, by id; absent for an untagged one.
    let names: [String: String]

    init(facts: StoreFacts, figure: (String) -> LayerFigure?) {
        let byID = Dictionary(facts.images.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let parents = Set(facts.images.compactMap(\.parent))
        // As `docker system df`: an untagged image with children is a step of those, not one to count.
        let tops = facts.images.filter { !$0.names.isEmpty || !parents.contains($0.id) }

        var users: [String: [String]] = [:]
        for image in facts.images {
            for layer in Set(image.layers) { users[layer, default: []].append(image.id) }
        }
        var topUses: [String: Int] = [:]
        for image in tops {
            for layer in Set(image.layers) { topUses[layer, default: 0] += 1 }
        }
        let topIDs = Set(tops.map(\.id))
        let containers = Dictionary(grouping: facts.containers, by: \.imageID)
        let damage = facts.damage { if case .image(let id) = $0 { id } else { nil } }
        let copies = FullCopies(facts.layers)

        self.users = users.mapValues { $0.sorted() }
        names = Dictionary(
            facts.images.compactMap { image in image.names.first.map { (image.id, $0) } },
            uniquingKeysWith: { first, _ in first })
        images = facts.images.map { image in
            let figures = image.layers.map(figure)
            let measures = figures.compactMap { $0?.measure }
            let virtual = copies.corrected(InodeOwnership.sum(ofChain: measures), chain: image.layers)
            let otherUsers = topIDs.contains(image.id) ? 1 : 0
            let sharedLayers = zip(image.layers, figures).filter { topUses[$0.0, default: 0] > otherUsers }
            let shared = copies.corrected(
                InodeOwnership.sum(ofChain: sharedLayers.compactMap { $0.1?.measure }),
                chain: sharedLayers.map(\.0))
            var confidence = figures.map { $0?.confidence ?? .converging }.reduce(Confidence.exact) {
                $0.worse($1)
            }
            if let reason = damage[image.id] { confidence = confidence.worse(.damaged(reason: reason)) }
            return ImageUsage(
                store: facts.store, fact: image,
                own: Self.ownStep(of: image, parent: image.parent.flatMap { byID[$0] }, copies, figure),
                virtual: virtual, shared: shared, unique: virtual - shared,
                containers: containers[image.id]?.count ?? 0, confidence: confidence)
        }
    }

    /// The figure of the image's own step: what it has beyond its parent, or, where the parent is not known, what
    /// the last step of its history wrote.
    private static func ownStep(
        of image: ImageFact, parent: ImageFact?, _ copies: FullCopies, _ figure: (String) -> LayerFigure?
    ) -> Measure {
        if let parent, image.layers.starts(with: parent.layers) {
            let added = image.layers.dropFirst(parent.layers.count)
            return copies.corrected(
                InodeOwnership.sum(ofChain: added.compactMap { figure($0)?.measure }), chain: Array(added))
        }
        guard let last = image.history.last else {
            return own(image.layers.last)
        }
        return own(last.layer)

        func own(_ layer: String?) -> Measure {
            guard let layer, let total = figure(layer)?.measure.total else { return .zero }
            return copies.corrected(total, chain: [layer])
        }
    }
}

/// What is known of one layer.
struct LayerFigure {
    var measure: LayerMeasure
    var confidence: Confidence
    /// Whether it was looked at once; else the measure is what the engine says.
    var isMeasured = true
    /// When it was found, nanoseconds since the epoch.
    var lookedAt: Int64?
}

/// The layers whose directories hold the whole root file system up to them, so that their apparent sizes do not add up.
struct FullCopies {
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
