extension StoreLayout {
    /// An image, and which layers each of its figures is the sum of.
    struct ImagePlan: Sendable {
        let fact: ImageFact
        let chain: LayerChain
        /// Of the chain, what the chain of another image holds as well.
        let shared: LayerChain
        /// What the image has beyond its parent, or, where the parent is not known, what the last step of its history
        /// wrote.
        let own: LayerChain
        let containers: Int
        let damage: String?
    }

    static func images(_ facts: StoreFacts, _ members: [String: Int]) -> [ImagePlan] {
        let byID = Dictionary(facts.images.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let parents = Set(facts.images.compactMap(\.parent))
        // As `docker system df`: an untagged image with children is a step of those, not one to count.
        let tops = facts.images.filter { !$0.names.isEmpty || !parents.contains($0.id) }
        let topIDs = Set(tops.map(\.id))
        var topUses: [String: Int] = [:]
        for image in tops {
            for layer in Set(image.layers) { topUses[layer, default: 0] += 1 }
        }
        let containers = Dictionary(grouping: facts.containers, by: \.imageID)
        let damage = facts.damage { if case .image(let id) = $0 { id } else { nil } }
        return facts.images.map { image in
            let otherUsers = topIDs.contains(image.id) ? 1 : 0
            let shared = image.layers.filter { topUses[$0, default: 0] > otherUsers }
            return ImagePlan(
                fact: image, chain: LayerChain(image.layers, members), shared: LayerChain(shared, members),
                own: LayerChain(ownLayers(of: image, parent: image.parent.flatMap { byID[$0] }), members),
                containers: containers[image.id]?.count ?? 0, damage: damage[image.id])
        }
    }

    private static func ownLayers(of image: ImageFact, parent: ImageFact?) -> [String] {
        if let parent, image.layers.starts(with: parent.layers) {
            return Array(image.layers.dropFirst(parent.layers.count))
        }
        guard let last = image.history.last else { return image.layers.suffix(1) }
        return last.layer.map { [$0] } ?? []
    }
}
