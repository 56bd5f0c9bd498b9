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
        let damage = Self.damage(facts.problems)

        self.users = users.mapValues { $0.sorted() }
        names = Dictionary(
            facts.images.compactMap { image in image.names.first.map { (image.id, $0) } },
            uniquingKeysWith: { first, _ in first })
        images = facts.images.map { image in
            let figures = image.layers.map(figure)
            let measures = figures.compactMap { $0?.measure }
            let virtual = InodeOwnership.sum(ofChain: measures)
            let otherUsers = topIDs.contains(image.id) ? 1 : 0
            let sharedLayers = zip(image.layers, figures).filter { topUses[$0.0, default: 0] > otherUsers }
            let shared = InodeOwnership.sum(ofChain: sharedLayers.compactMap { $0.1?.measure })
            var confidence = figures.map { $0?.confidence ?? .converging }.reduce(Confidence.exact) {
                $0.worse($1)
            }
            if let reason = damage[image.id] { confidence = confidence.worse(.damaged(reason: reason)) }
            return ImageUsage(
                store: facts.store, fact: image,
                own: Self.ownStep(
                    of: image, parent: image.parent.flatMap { byID[$0] }, virtual: virtual, figure),
                virtual: virtual, shared: shared, unique: virtual - shared,
                containers: containers[image.id]?.count ?? 0, confidence: confidence)
        }
    }

    /// The figure of the image's own step: what it has beyond its parent, or, where the parent is not known, what
    /// the last step of its history wrote.
    private static func ownStep(
        of image: ImageFact, parent: ImageFact?, virtual: Measure, _ figure: (String) -> LayerFigure?
    ) -> Measure {
        if let parent, image.layers.starts(with: parent.layers) {
            let added = image.layers.dropFirst(parent.layers.count)
            return InodeOwnership.sum(ofChain: added.compactMap { figure($0)?.measure })
        }
        guard let last = image.history.last else {
            return image.layers.last.flatMap { figure($0)?.measure.total } ?? .zero
        }
        return last.layer.flatMap { figure($0)?.measure.total } ?? .zero
    }

    private static func damage(_ problems: [StoreProblem]) -> [String: String] {
        var reasons: [String: String] = [:]
        for problem in problems where problem.severity == .damaged {
            if case .image(let id) = problem.object { reasons[id] = "\(problem.path): \(problem.reason)" }
        }
        return reasons
    }
}

/// What is known of one layer.
struct LayerFigure {
    var measure: LayerMeasure
    var confidence: Confidence
    /// Whether it was looked at once; else the measure is what the engine says.
    var isMeasured = true
}
