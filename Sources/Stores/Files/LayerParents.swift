/// The chains of layers, by the parent that each names.
struct LayerParents: Sendable {
    /// Why a chain does not reach its lowest layer.
    enum Flaw: Hashable, Sendable {
        case cycle
        case missing(String)
        case tooDeep
    }

    struct Chain: Hashable, Sendable {
        /// The lowest first.
        var layers: [String] = []
        var flaw: Flaw?
        /// Whether what is below the first layer is in another store.
        var goesOn = false
    }

    /// overlayfs takes at most 500 lower layers and engines at most 128, but any number with the driver `vfs`.
    static let maximumDepth = 1024

    private let parents: [String: String?]
    private let others: Set<String>
    /// The layers whose parents lead in a circle.
    let rings: Set<String>

    /// `others` are the layers of the stores that this one may lie on.
    init(_ parents: [String: String?], others: Set<String> = []) {
        self.parents = parents
        self.others = others
        rings = ParentRings.members(parents)
    }

    /// What is wrong with the parent of the layer itself.
    func flaw(of layer: String) -> Flaw? {
        if rings.contains(layer) { return .cycle }
        guard let parent = parents[layer] ?? nil, parents[parent] == nil, !others.contains(parent) else {
            return nil
        }
        return .missing(parent)
    }

    /// The layer's parent if it is in this store and leads somewhere.
    func parent(of layer: String) -> String? {
        guard let parent = parents[layer] ?? nil, parents[parent] != nil, !rings.contains(layer) else {
            return nil
        }
        return parent
    }

    /// The chain that ends with layer `top`; with a flaw, the part that could be walked.
    func chain(from top: String?) -> Chain {
        var chain = Chain()
        var seen: Set<String> = []
        var next = top
        while let id = next {
            guard let parent = parents[id] else {
                if others.contains(id) { chain.goesOn = true } else { chain.flaw = .missing(id) }
                break
            }
            guard seen.insert(id).inserted else {
                chain.flaw = .cycle
                break
            }
            guard chain.layers.count < Self.maximumDepth else {
                chain.flaw = .tooDeep
                break
            }
            chain.layers.append(id)
            next = parent
        }
        chain.layers.reverse()
        return chain
    }
}

extension LayerParents.Flaw {
    /// The flaw of what file `path` names.
    func fault(_ path: String) -> MetadataFault {
        switch self {
        case .cycle: .damaged(path, "the parents of the layer lead in a circle")
        case .missing(let id): .pending(path, "there is no layer \(ObjectID.quoted(id)) in the store")
        case .tooDeep: .damaged(path, "the layer lies on more than \(LayerParents.maximumDepth) others")
        }
    }
}
