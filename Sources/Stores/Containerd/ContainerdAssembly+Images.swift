import Accounting

extension ContainerdAssembly {
    /// Deeper indexes in indexes, and more manifests in one, than images have.
    static let maximumIndexes = 8
    static let maximumManifests = 1000

    /// What an image's documents say, of one namespace.
    struct Expansion {
        struct Platform {
            var config: String
            var image: ImageConfig?
            /// Chain ids as snapshots are named, the lowest first.
            var chains: [String] = []
        }

        var platforms: [Platform] = []
        /// Digests of all blobs that the image refers to, itself among them.
        var content: [String] = []
        var faults: [MetadataFault] = []
    }

    /// Looks through the documents of every image; by namespace and digest.
    mutating func expandImages(_ documents: inout ContentDocuments) -> [String: [String: Expansion]] {
        let directories = listing.blobs.mapValues(\.directory)
        var expansions: [String: [String: Expansion]] = [:]
        documents.startPass()
        for (name, content) in wanted {
            for digest in Set(content.images.values) {
                var expansion = Expansion()
                var seen: Set<String> = []
                expand(digest, content, directories, &documents, depth: 0, &seen, &expansion)
                expansions[name, default: [:]][digest] = expansion
            }
        }
        return expansions
    }

    var wanted: [(String, ContainerdMetadata.Namespace)] {
        databases.metadata.namespaces.filter { namespace == nil || $0.key == namespace }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private mutating func expand(
        _ digest: String, _ content: ContainerdMetadata.Namespace,
        _ directories: [String: MetadataDirectory], _ documents: inout ContentDocuments, depth: Int,
        _ seen: inout Set<String>, _ expansion: inout Expansion
    ) {
        guard depth < Self.maximumIndexes, seen.count < Self.maximumManifests, seen.insert(digest).inserted
        else { return }
        expansion.content.append(digest)
        let labels = content.blobs[digest]?.references ?? [:]
        var children: [String] = []
        var platform: (config: String, layers: [String])?
        switch documents.read(digest, in: directories, &notes) {
        case .document(.index(let manifests)): children = manifests
        case .document(.manifest(let config, let layers)): platform = (config, layers)
        case .document(.config(let image)):
            // Images of old tools point at a configuration itself.
            expansion.platforms.append(
                Expansion.Platform(config: digest, image: image, chains: Self.chains(image.diffIDs ?? [])))
            return
        case .missing, .unusable:
            if case .unusable(let fault) = documents.read(digest, in: directories, &notes) {
                expansion.faults.append(fault)
            } else if depth == 0, labels.isEmpty {
                let path = "\(paths.blobs)/\(digest.replacing(":", with: "/"))"
                expansion.faults.append(
                    .pending(path, "it does not exist, but is what an image is made of"))
            }
            // What is known of it without its content.
            children = Self.references(labels, "containerd.io/gc.ref.content.m.")
            platform = labels["containerd.io/gc.ref.content.config"].map {
                ($0, Self.references(labels, "containerd.io/gc.ref.content.l."))
            }
        }
        for child in children {
            expand(child, content, directories, &documents, depth: depth + 1, &seen, &expansion)
        }
        guard let platform else { return }
        expansion.content += [platform.config] + platform.layers
        var entry = Expansion.Platform(config: platform.config)
        switch documents.read(platform.config, in: directories, &notes) {
        case .document(.config(let image)):
            entry.image = image
            entry.chains = Self.chains(image.diffIDs ?? [])
        case .unusable(let fault): expansion.faults.append(fault)
        case .document, .missing: break
        }
        if entry.chains.isEmpty { entry.chains = chainsByLabel(of: platform.config, content) }
        expansion.platforms.append(entry)
    }

    /// Labels with a number at the end, in its order.
    private static func references(_ labels: [String: String], _ prefix: String) -> [String] {
        labels.compactMap { key, value in
            key.hasPrefix(prefix) ? Int(key.dropFirst(prefix.count)).map { ($0, value) } : nil
        }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// Each chain id is the digest of the one below and the next diff id.
    static func chains(_ diffIDs: [String]) -> [String] {
        var chains: [String] = []
        for diffID in diffIDs.prefix(LayerChains.maximumDepth) {
            guard ObjectID.digest(diffID) != nil else { break }
            chains.append(
                chains.last.map { "sha256:" + SHA256.hex(Array("\($0) \(diffID)".utf8)) } ?? diffID)
        }
        return chains
    }

    /// What containerd noted of a configuration when it unpacked the image: the highest snapshot.
    private func chainsByLabel(of config: String, _ content: ContainerdMetadata.Namespace) -> [String] {
        for snapshotter in Snapshotter.allCases {
            let label = "containerd.io/gc.ref.snapshot.\(snapshotter.rawValue)"
            guard let top = content.blobs[config]?.references[label],
                let names = content.snapshots[snapshotter.rawValue], let key = names[top]
            else { continue }
            let byKey = Dictionary(names.map { ($1, $0) }, uniquingKeysWith: min)
            return chain(from: key, snapshotter).compactMap { byKey[$0] }
        }
        return []
    }

    /// The keys of a snapshot and of those below it, the lowest first.
    func chain(from key: String, _ snapshotter: Snapshotter) -> [String] {
        let snapshots = databases.snapshotters[snapshotter]?.snapshots ?? [:]
        var keys: [String] = []
        var seen: Set<String> = []
        var next: String? = key
        while let key = next, let snapshot = snapshots[key], keys.count < LayerChains.maximumDepth,
            seen.insert(key).inserted
        {
            keys.append(key)
            next = snapshot.parent
        }
        return keys.reversed()
    }

    /// The ids that the lowest layers of all images have once they are unpacked.
    static func lowest(_ expansions: [String: [String: Expansion]]) -> Set<String> {
        Set(
            expansions.values.flatMap { $0.values.flatMap { $0.platforms.compactMap { $0.chains.first } } }
                .compactMap(ObjectID.digest))
    }

    mutating func addImages(_ expansions: [String: [String: Expansion]], _ ids: inout UniqueIDs) {
        var objects: [(object: String, candidates: [String])] = []
        for (name, content) in wanted {
            for digest in Set(content.images.values).sorted() {
                let id = ContentDocuments.parts(of: digest)?.hex ?? Self.id(ofName: digest)
                objects.append(("\(name) \(digest)", [id, "\(Self.id(ofName: name))/\(id)"]))
            }
        }
        imageIDs = ids.assign(objects)
        for (name, content) in wanted {
            let parents = parents(content)
            let byDigest = Dictionary(grouping: content.images.keys) { content.images[$0] ?? "" }
            for (digest, references) in byDigest.sorted(by: { $0.key < $1.key }) {
                guard let id = imageIDs["\(name) \(digest)"], let expansion = expansions[name]?[digest] else {
                    continue
                }
                notes.add(expansion.faults, of: .image(id))
                var image = image(id, references, name, content, expansion)
                image.parent = parents[digest].flatMap { imageIDs["\(name) \($0)"] }
                images.append(image)
            }
        }
    }

    /// The image that each was built on, by digest, where Docker's builder noted it; without those that lead in a
    /// circle.
    private func parents(_ content: ContainerdMetadata.Namespace) -> [String: String] {
        var parents: [String: String] = [:]
        for (name, parent) in content.parents.sorted(by: { $0.key < $1.key }) {
            if let digest = content.images[name] { parents[digest] = parent }
        }
        let rings = ParentRings.members(parents.mapValues(Optional.some))
        return parents.filter { !rings.contains($0.key) }
    }

    private mutating func image(
        _ id: String, _ references: [String], _ name: String, _ content: ContainerdMetadata.Namespace,
        _ expansion: Expansion
    ) -> ImageFact {
        var main: (platform: Expansion.Platform, layers: [String])?
        var all: [[String]] = []
        for platform in expansion.platforms {
            for snapshotter in Snapshotter.allCases {
                let chain = unpacked(platform.chains, snapshotter, content, image: id)
                if main.map({ chain.count > $0.layers.count }) ?? true { main = (platform, chain) }
                all.append(chain)
            }
        }
        let layers = ([main?.layers ?? []] + all).flatMap { $0 }.uniqued()
        let history = main?.platform.image?.history(over: main?.layers ?? [])
        return ImageFact(
            id: id,
            // By digest alone, as the kubelet names them too, they are no tags.
            names: references.filter { !$0.contains("@") && ObjectID.digest($0) == nil }.sorted(),
            layers: layers, history: history?.steps ?? [], created: main?.platform.image?.created,
            architecture: main?.platform.image?.architecture, os: main?.platform.image?.os,
            content: expansion.content.compactMap { contentIDs[$0] }.uniqued(), namespace: name)
    }

    /// The layers of a chain that are there, from the lowest to where it ends.
    private mutating func unpacked(
        _ chains: [String], _ snapshotter: Snapshotter, _ content: ContainerdMetadata.Namespace, image: String
    ) -> [String] {
        var layers: [String] = []
        for chain in chains {
            guard let key = content.snapshots[snapshotter.rawValue]?[chain] else { break }
            if let place = placed[snapshotter]?[key] {
                layers.append(place.id)
            } else {
                let path = paths.snapshots(snapshotter)
                notes.add(.damaged(path, "layer \(chain) has no directory"), of: .image(image))
            }
        }
        return layers
    }
}
