/// Finds the chains of layers that images and containers lie on.
///
/// A chain id is a digest of the chain below it, but nothing is hashed here: the layer database is walked.
struct LayerChains {
    static let maximumDepth = LayerParents.maximumDepth

    private struct Place: Hashable {
        let parent: String?
        let diffID: String
    }

    private let parents: LayerParents
    private let byPlace: [Place: String]
    /// Layers whose parents lead in a circle or whose parent is missing.
    let flaws: [String: LayerParents.Flaw]

    init(_ layers: [String: LayerDatabase.Entry]) {
        let parents = LayerParents(layers.mapValues(\.parent))
        self.parents = parents
        var byPlace: [Place: String] = [:]
        byPlace.reserveCapacity(layers.count)
        for (id, layer) in layers {
            guard let diffID = layer.diffID else { continue }
            let place = Place(parent: layer.parent, diffID: diffID)
            // Two on one place are damage; the same one must win each time.
            byPlace[place] = byPlace[place].map { min($0, id) } ?? id
        }
        self.byPlace = byPlace
        flaws = Dictionary(
            uniqueKeysWithValues: layers.keys.compactMap { id in parents.flaw(of: id).map { (id, $0) } })
    }

    /// The chain of an image: each layer is the one with the next diff id on top of those before.
    func chain(ofDiffIDs diffIDs: [String]) -> (layers: [String], missing: Int?) {
        var layers: [String] = []
        for (index, diffID) in diffIDs.enumerated() {
            guard index < Self.maximumDepth, let digest = ObjectID.digest(diffID),
                let id = byPlace[Place(parent: layers.last, diffID: digest)]
            else { return (layers, index) }
            layers.append(id)
        }
        return (layers, nil)
    }

    /// The chain that ends with layer `top`; with a flaw, the part that could be walked.
    func chain(from top: String) -> LayerParents.Chain {
        parents.chain(from: top)
    }
}

extension LayerParents.Flaw {
    /// The flaw of the chain that file `path` of the layer database begins.
    func layerDatabaseFault(_ path: String) -> MetadataFault {
        guard case .missing(let id) = self else { return fault(path) }
        return .pending(path, "there is no layer \(id) in layerdb")
    }
}
