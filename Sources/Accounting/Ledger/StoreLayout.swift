/// What follows from a store's facts alone: where each object stands, and whose figures depend on which layer.
///
/// It is made when the facts change, and snapshots with the same layout have the same objects at the same positions.
final class StoreLayout: Sendable {
    struct ContainerPlan: Sendable {
        let fact: ContainerFact
        /// A name of its image when there is one, else the image's id.
        let image: String
        /// Its writable layer.
        let writable: Int?
        /// The layers below.
        let chain: LayerChain
        /// Whether the writable layer has what they have, too.
        let isFullCopy: Bool
        let logs: LayerChain
        let damage: String?
        /// Whether no container before it has the same id.
        let isFirst: Bool
    }

    struct VolumePlan: Sendable {
        let fact: VolumeFact
        let tree: Int?
        /// Ids of the containers that mount it.
        let containers: [String]
        let damage: String?
    }

    /// Whose figures change with that of a layer or tree, by their positions.
    struct Dependants: Sendable {
        var images: [Int] = []
        var containers: [Int] = []
        var volumes: [Int] = []
    }

    /// The facts; an id is in their layers and trees once.
    let facts: StoreFacts
    let layerCount: Int
    /// The positions of layers, from 0, and of trees after them.
    let members: [String: Int]
    let dependants: [Dependants]
    let images: [ImagePlan]
    let containers: [ContainerPlan]
    /// By name.
    let volumes: [VolumePlan]
    let fullCopies: FullCopies
    /// Objects that could not be used.
    let problems: [StoreProblem]
    /// The paths that tell on which file system what it has lies: its root, and each directory outside of that.
    let places: [String]
    /// Which of these a layer or tree belongs to, by position.
    let placeOfMember: [Int]
    /// What these say of the store as a whole.
    let complaint: Confidence?
    /// Whether metadata looks half-written.
    let isPending: Bool
    /// The ids of the images and of the containers that use each layer.
    let imageUsers: [[String]]
    let containerUsers: [[String]]
    /// The first container of each id.
    private let containerPositions: [String: Int]

    init(_ facts: StoreFacts) {
        let (facts, members) = Self.unique(facts)
        self.facts = facts
        self.members = members
        layerCount = facts.layers.count
        fullCopies = FullCopies(facts.layers)
        problems = facts.problems.filter { $0.severity != .pending }
        complaint = Self.complaint(problems)
        isPending = problems.count < facts.problems.count
        (places, placeOfMember) = Self.places(facts)
        images = Self.images(facts, members)
        containers = Self.containers(facts, members)
        volumes = Self.volumes(facts, members)
        containerPositions = Dictionary(
            containers.enumerated().map { ($0.element.fact.id, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        var imageUsers = [[String]](repeating: [], count: facts.layers.count)
        for image in images {
            for position in Set(image.chain.positions) where position < facts.layers.count {
                imageUsers[position].append(image.fact.id)
            }
        }
        self.imageUsers = imageUsers.map { $0.sorted() }
        containerUsers = Self.users(containers, members, layers: layerCount)
        var dependants = [Dependants](repeating: Dependants(), count: members.count)
        for (place, image) in images.enumerated() {
            for position in image.chain.positions + image.own.positions {
                dependants[position].images.append(place)
            }
        }
        for (place, container) in containers.enumerated() {
            if let writable = container.writable { dependants[writable].containers.append(place) }
            for position in container.chain.positions + container.logs.positions {
                dependants[position].containers.append(place)
            }
        }
        for (place, volume) in volumes.enumerated() {
            if let tree = volume.tree { dependants[tree].volumes.append(place) }
        }
        self.dependants = dependants
    }

    /// The position of a container; of several with one id the first.
    func container(_ id: String) -> Int? { containerPositions[id] }

    /// The positions of the containers that write to a layer.
    func writers(of layer: String) -> [Int] {
        guard let position = members[layer] else { return [] }
        return dependants[position].containers.filter { containers[$0].writable == position }
    }

    func holder(at position: Int) -> InodeHolder {
        position < layerCount
            ? InodeHolder(facts.layers[position], of: facts.store)
            : InodeHolder(facts.trees[position - layerCount], of: facts.store)
    }

    /// Where an earlier layout has the layer or tree that this one has at a position; `nil` if it is another one there,
    /// such as a layer that was in another directory.
    func position(in earlier: StoreLayout, of position: Int) -> Int? {
        guard position < layerCount else {
            let tree = facts.trees[position - layerCount]
            guard let before = earlier.members[tree.id], before >= earlier.layerCount else { return nil }
            return earlier.facts.trees[before - earlier.layerCount] == tree ? before : nil
        }
        let layer = facts.layers[position]
        guard let before = earlier.members[layer.id], before < earlier.layerCount else { return nil }
        let known = earlier.facts.layers[before]
        let isSame =
            known.directory == layer.directory && known.kind == layer.kind
            && known.isWritable == layer.isWritable
        return isSame ? before : nil
    }

    /// Of layers and trees with one id the first counts.
    private static func unique(_ facts: StoreFacts) -> (StoreFacts, members: [String: Int]) {
        var members: [String: Int] = [:]
        members.reserveCapacity(facts.layers.count + facts.trees.count)
        func isNew(_ id: String) -> Bool {
            guard members[id] == nil else { return false }
            members[id] = members.count
            return true
        }
        var facts = facts
        facts.layers = facts.layers.filter { isNew($0.id) }
        facts.trees = facts.trees.filter { isNew($0.id) }
        return (facts, members)
    }

    private static func places(_ facts: StoreFacts) -> ([String], ofMembers: [Int]) {
        var places = [facts.store.root]
        var indices = [facts.store.root: 0]
        func place(_ path: String) -> Int {
            let place = facts.store.place(of: path)
            if let known = indices[place] { return known }
            indices[place] = places.count
            places.append(place)
            return places.count - 1
        }
        let members = facts.layers.map { place($0.directory) } + facts.trees.map { place($0.directory) }
        for part in facts.overhead?.beside ?? [] { _ = place(part.directory) }
        return (places, members)
    }

    private static func complaint(_ problems: [StoreProblem]) -> Confidence? {
        guard let problem = problems.first else { return nil }
        let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        let reason = "\(problem.path): \(problem.reason)\(more)"
        let isUnreadable = problems.contains { $0.severity == .unreadable }
        return isUnreadable ? .stale(reason: reason) : .damaged(reason: reason)
    }

    private static func containers(_ facts: StoreFacts, _ members: [String: Int]) -> [ContainerPlan] {
        let names = Dictionary(
            facts.images.compactMap { image in image.names.first.map { (image.id, $0) } },
            uniquingKeysWith: { first, _ in first })
        let damage = facts.damage { if case .container(let id) = $0 { id } else { nil } }
        var known: Set<String> = []
        // Looking up the chains costs most of all this, and containers of an image have the same.
        var chains: [String: LayerChain] = [:]
        func chain(_ fact: ContainerFact) -> LayerChain {
            if let known = chains[fact.imageID], known.ids == fact.chain { return known }
            let chain = LayerChain(fact.chain, members)
            chains[fact.imageID] = chain
            return chain
        }
        return facts.containers.map { fact in
            let writable = members[fact.layer]
            let isFullCopy = writable.map { $0 < facts.layers.count && facts.layers[$0].isFullCopy } ?? false
            return ContainerPlan(
                fact: fact,
                image: names[fact.imageID]
                    ?? (fact.imageID.isEmpty ? fact.imageName ?? "" : fact.imageID),
                writable: writable, chain: chain(fact), isFullCopy: isFullCopy,
                logs: LayerChain(fact.trees, members), damage: damage[fact.id],
                isFirst: known.insert(fact.id).inserted)
        }
    }

    private static func volumes(_ facts: StoreFacts, _ members: [String: Int]) -> [VolumePlan] {
        guard !facts.volumes.isEmpty else { return [] }
        let damage = facts.damage { if case .volume(let name) = $0 { name } else { nil } }
        var users: [String: [String]] = [:]
        for container in facts.containers {
            for mount in container.mounts where mount.kind == .volume {
                // A container may mount a volume at several places.
                if let name = mount.name, users[name]?.last != container.id {
                    users[name, default: []].append(container.id)
                }
            }
        }
        return facts.volumes.sorted { $0.name < $1.name }.map { fact in
            VolumePlan(
                fact: fact, tree: fact.tree.flatMap { members[$0] }, containers: users[fact.name] ?? [],
                damage: damage[fact.name])
        }
    }

    private static func users(
        _ containers: [ContainerPlan], _ members: [String: Int], layers: Int
    ) -> [[String]] {
        var users = [[String]](repeating: [], count: layers)
        for container in containers {
            let initial = container.fact.initLayer.flatMap { members[$0] }
            for position in container.chain.positions + [container.writable, initial].compactMap(\.self)
            where position < layers {
                users[position].append(container.fact.id)
            }
        }
        return users
    }
}

extension StoreFacts {
    /// What is wrong with objects of one kind, by their id.
    func damage(_ id: (StoreProblem.Object) -> String?) -> [String: String] {
        Dictionary(
            problems.compactMap { problem in
                guard problem.severity == .damaged, let id = id(problem.object) else { return nil }
                return (id, "\(problem.path): \(problem.reason)")
            }, uniquingKeysWith: { first, _ in first })
    }
}
