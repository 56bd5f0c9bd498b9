/// All images of the host as trees in which every shared prefix of layers stands once.
///
/// An image stands below the one it was built on: its parent where the store knows it, else the image whose
/// layers are the longest prefix of its own. Where images share layers that no image of the host stands for, a
/// node of its own stands for those.
public struct ImageForest: Hashable, Sendable {
    public indirect enum Content: Hashable, Sendable {
        case image(ImageUsage)
        /// Layers that several images share, named by the highest.
        case layers(StoreIdentity, id: String)
    }

    public struct Node: Hashable, Sendable {
        public var content: Content
        /// What this node adds to the one above it.
        public var own: Measure
        /// Everything up to this node.
        public var virtual: Measure
        public var children: [Node]
    }

    public let roots: [Node]

    /// Levels of images one on another: steps that write nothing can be chained without end, and a tree so deep
    /// takes a stack so deep of everyone who walks it.
    private static let levelLimit = 256

    public init(_ snapshot: UsageSnapshot) {
        var roots: [Node] = []
        for source in snapshot.sources {
            let images = snapshot.images.filter { $0.store == source.store }
            let builder = Builder(store: source.store, images: images, layers: snapshot.layers)
            roots += builder.roots()
        }
        self.roots = roots
    }

    /// Makes the trees of one store.
    private struct Builder {
        let store: StoreIdentity
        let layers: StoreMembers<LayerUsage>
        private let children: [String: [ImageUsage]]
        private let tops: [ImageUsage]

        init(store: StoreIdentity, images: [ImageUsage], layers: StoreMembers<LayerUsage>) {
            self.store = store
            self.layers = layers
            let byID = Dictionary(images.map { ($0.fact.id, $0) }, uniquingKeysWith: { first, _ in first })
            let byTopLayer = Dictionary(
                grouping: images.filter { !$0.fact.layers.isEmpty }, by: { $0.fact.layers.last ?? "" })
            var above: [String: String] = [:]
            let sorted = images.sorted(by: Self.precedes)
            for image in sorted { above[image.fact.id] = Self.above(image, byID, byTopLayer) }
            Self.breakRings(&above, sorted)
            children = Dictionary(grouping: sorted.filter { above[$0.fact.id] != nil }) {
                above[$0.fact.id] ?? ""
            }
            tops = sorted.filter { above[$0.fact.id] == nil }
        }

        func roots() -> [Node] {
            group(tops, below: 0, base: .zero)
        }

        /// Damaged metadata may name an image its own ancestor: the first of each ring stands at the top.
        private static func breakRings(_ above: inout [String: String], _ images: [ImageUsage]) {
            var isRooted: Set<String> = []
            for image in images {
                var path: [String] = []
                var onPath: Set<String> = []
                var next: String? = image.fact.id
                while let id = next, !isRooted.contains(id) {
                    guard onPath.insert(id).inserted else {
                        above[id] = nil
                        break
                    }
                    path.append(id)
                    next = above[id]
                }
                isRooted.formUnion(path)
            }
        }

        private static func precedes(_ left: ImageUsage, _ right: ImageUsage) -> Bool {
            let names = (left.fact.names.first ?? "\u{10FFFF}", right.fact.names.first ?? "\u{10FFFF}")
            return names.0 == names.1 ? left.fact.id < right.fact.id : names.0 < names.1
        }

        private static func above(
            _ image: ImageUsage, _ byID: [String: ImageUsage], _ byTopLayer: [String: [ImageUsage]]
        ) -> String? {
            if let parent = image.fact.parent, byID[parent] != nil { return parent }
            for layer in image.fact.layers.dropLast().reversed() {
                if let candidates = byTopLayer[layer] {
                    let deepest = candidates.filter { image.fact.layers.starts(with: $0.fact.layers) }
                    if let found = deepest.min(by: precedes) { return found.fact.id }
                }
            }
            return nil
        }

        /// Nodes for images none of which stands below another, all sharing the first `depth` layers.
        private func group(_ images: [ImageUsage], below depth: Int, base: Measure) -> [Node] {
            var order: [String] = []
            var branches: [String: [ImageUsage]] = [:]
            for image in images {
                let layer = image.fact.layers.count > depth ? image.fact.layers[depth] : ""
                if branches[layer] == nil { order.append(layer) }
                branches[layer, default: []].append(image)
            }
            return order.flatMap { layer -> [Node] in
                let branch = branches[layer] ?? []
                guard branch.count > 1, !layer.isEmpty else {
                    return branch.flatMap { nodes($0, above: base, level: 0) }
                }
                let shared = commonPrefix(branch)
                guard let top = shared.last else {
                    return branch.flatMap { nodes($0, above: base, level: 0) }
                }
                let virtual = shared.map { layers[LayerKey(store: store, id: $0)]?.gross ?? .zero }.sum()
                return [
                    Node(
                        content: .layers(store, id: top), own: virtual - base, virtual: virtual,
                        children: group(branch, below: shared.count, base: virtual))
                ]
            }
        }

        private func commonPrefix(_ images: [ImageUsage]) -> [String] {
            var prefix = images.first?.fact.layers ?? []
            for image in images {
                prefix = Array(zip(prefix, image.fact.layers).prefix { $0 == $1 }.map(\.0))
            }
            return prefix
        }

        /// An image with all that stands on it; below the deepest level that is shown, all of it side by side.
        private func nodes(_ image: ImageUsage, above base: Measure, level: Int) -> [Node] {
            guard level < ImageForest.levelLimit else { return flat(image, above: base) }
            let below = children[image.fact.id] ?? []
            return [
                Node(
                    content: .image(image), own: image.virtual - base, virtual: image.virtual,
                    children: below.flatMap { nodes($0, above: image.virtual, level: level + 1) })
            ]
        }

        private func flat(_ image: ImageUsage, above base: Measure) -> [Node] {
            var nodes: [Node] = []
            var stack = [(image, base)]
            while let (image, base) = stack.popLast() {
                nodes.append(
                    Node(
                        content: .image(image), own: image.virtual - base, virtual: image.virtual,
                        children: []))
                stack += (children[image.fact.id] ?? []).reversed().map { ($0, image.virtual) }
            }
            return nodes
        }
    }
}
