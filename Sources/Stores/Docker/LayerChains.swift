/// Finds the chains of layers that images and containers lie on.
///
/// A chain id is a digest of the chain below it, but nothing is hashed here: the layer database is walked.
struct LayerChains {
    /// Why a chain does not reach its lowest layer.
    enum Flaw: Hashable, Sendable {
        case cycle
        case missing(String)
        case tooDeep
    }

    /// overlayfs takes at most 500 lower layers, and the engine at most 128.
    static let maximumDepth = 1024

    private struct Place: Hashable {
        let parent: String?
        let diffID: String
    }

    private let parents: [String: String?]
    private let byPlace: [Place: String]
    /// Layers whose parents lead in a circle or whose parent is missing.
    let flaws: [String: Flaw]

    init(_ layers: [String: LayerDatabase.Entry]) {
        parents = layers.mapValues(\.parent)
        var byPlace: [Place: String] = [:]
        byPlace.reserveCapacity(layers.count)
        for (id, layer) in layers {
            guard let diffID = layer.diffID else { continue }
            let place = Place(parent: layer.parent, diffID: diffID)
            // Two on one place are damage; the same one must win each time.
            byPlace[place] = byPlace[place].map { min($0, id) } ?? id
        }
        self.byPlace = byPlace
        flaws = Self.flaws(parents)
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

    /// The chain that ends with layer `top`, the lowest first; with a flaw, the part that could be walked.
    func chain(from top: String) -> (layers: [String], flaw: Flaw?) {
        var layers: [String] = []
        var seen: Set<String> = []
        var next: String? = top
        while let id = next {
            guard let parent = parents[id] else { return (layers.reversed(), .missing(id)) }
            guard seen.insert(id).inserted else { return (layers.reversed(), .cycle) }
            guard layers.count < Self.maximumDepth else { return (layers.reversed(), .tooDeep) }
            layers.append(id)
            next = parent
        }
        return (layers.reversed(), nil)
    }

    private static func flaws(_ parents: [String: String?]) -> [String: Flaw] {
        var flaws: [String: Flaw] = [:]
        for (id, parent) in parents {
            if let parent, parents[parent] == nil { flaws[id] = .missing(parent) }
        }
        for id in ParentRings.members(parents) { flaws[id] = .cycle }
        return flaws
    }
}

extension LayerChains.Flaw {
    /// The flaw of the chain that file `path` begins.
    func fault(_ path: String) -> MetadataFault {
        switch self {
        case .cycle: .damaged(path, "the parents of the layer lead in a circle")
        case .missing(let id): .pending(path, "there is no layer \(id) in layerdb")
        case .tooDeep: .damaged(path, "the layer lies on more than \(LayerChains.maximumDepth) others")
        }
    }
}
