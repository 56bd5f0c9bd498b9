internal import Accounting
internal import Wire

extension StatusAnswers {
    func explain(_ reference: String) async throws(Problem) -> Explanation {
        let looked = await look()
        let index = ObjectIndex(looked.snapshot, withLayers: true)
        let found = try find(
            reference, "image, container, volume or layer", index.candidates, hint: "usage-client status")
        let terms = ExplanationTerms(looked)
        let entry = index.entries[found]
        var explanation: Explanation
        switch entry.object {
        case .image(let image): explanation = terms.explain(image)
        case .container(let container): explanation = terms.explain(container)
        case .volume(let volume): explanation = terms.explain(volume)
        case .layer(let layer): explanation = terms.explain(layer)
        }
        explanation.diskBytes = explanation.terms.reduce(0) { $0.addingClamped($1.diskBytes) }
        explanation.sizeBytes = explanation.terms.reduce(0) { $0.addingClamped($1.sizeBytes) }
        return explanation
    }
}

/// Takes figures apart into what they add up from.
struct ExplanationTerms {
    private let looked: StatusAnswers.Looked
    private let snapshot: UsageSnapshot

    init(_ looked: StatusAnswers.Looked) {
        self.looked = looked
        snapshot = looked.snapshot
    }

    func explain(_ image: ImageUsage) -> Explanation {
        var terms = image.fact.layers.map { term("image layer", layer: $0, of: image.store) }
        terms += image.fact.content.map { term("content blob", layer: $0, of: image.store) }
        terms += metadata(image.fact.metadata, of: image.store)
        var notes = sharing(image.fact.layers, of: image.store)
        if !image.fact.content.isEmpty {
            notes.append(
                "content blobs are the compressed layers as they were pulled: a second copy of the image")
        }
        return make(
            "image", image.store, image.fact.id, image.fact.names.first ?? image.fact.id, image.confidence,
            terms,
            notes)
    }

    func explain(_ container: ContainerUsage) -> Explanation {
        let store = container.store
        var terms = [term("writable layer", layer: container.fact.layer, of: store)]
        if let layer = container.fact.initLayer { terms.append(term("init layer", layer: layer, of: store)) }
        terms += container.fact.trees.map { term("log", tree: $0, of: store) }
        terms += metadata(container.fact.metadata, of: store)
        var notes = [
            """
            its image's \(container.fact.chain.count) layers are not charged to it: they are there once for all \
            that use them
            """
        ]
        let volumes = container.fact.mounts.filter { $0.kind == .volume }.compactMap(\.name)
        if !volumes.isEmpty {
            notes.append(
                "volumes are not charged to it, for they outlive it: \(volumes.joined(separator: ", "))")
        }
        let binds = container.fact.mounts.filter { $0.kind == .bind }.map(\.source)
        if !binds.isEmpty {
            notes.append(
                "directories of the host that it mounts are not counted: \(binds.joined(separator: ", "))")
        }
        if let deleted = container.deletedOpen, deleted.measure.inodes > 0 {
            notes.append(
                """
                beside these, \(deleted.measure.inodes) deleted files that processes still hold open take \
                \(deleted.measure.diskBytes) bytes
                """)
        }
        return make(
            "container", store, container.fact.id, container.fact.name, container.confidence, terms, notes)
    }

    func explain(_ volume: VolumeUsage) -> Explanation {
        var terms: [Explanation.Term] = []
        var notes: [String] = []
        if let tree = volume.fact.tree {
            terms.append(term("volume", tree: tree, of: volume.store))
        } else {
            notes.append(
                "its files are on another device or host (\(volume.fact.source)), so nothing is charged")
        }
        terms += metadata(volume.fact.metadata, of: volume.store)
        notes.append(
            volume.containers.isEmpty
                ? "no container mounts it"
                : "\(volume.containers.count) containers mount it; it is charged once")
        return make(
            "volume", volume.store, volume.fact.name, volume.fact.name, volume.confidence, terms, notes)
    }

    func explain(_ layer: LayerUsage) -> Explanation {
        let store = layer.key.store
        let terms =
            [term("\(layer.fact.kind.rawValue) layer", layer: layer.key.id, of: store)]
            + metadata(layer.fact.metadata, of: store)
        var notes = [
            "\(layer.images.count) images and \(layer.containers.count) containers use it; it is charged once"
        ]
        if let declared = layer.fact.declaredSizeBytes {
            notes.append("the engine recorded \(declared) bytes for it when it was made")
        }
        let linked =
            layer.gross.diskBytes - layer.charged.diskBytes
            - (snapshot.sharedExtents[store]?.chargedElsewhere[layer.key] ?? 0)
        if linked > 0 {
            notes.append(
                """
                \(linked) bytes of its files have names in another layer \
                as well, which is charged for them
                """)
        }
        if let shared = snapshot.sharedExtents[store]?.chargedElsewhere[layer.key], shared > 0 {
            notes.append(
                "\(shared) bytes of it are in blocks that it shares with others, one of which is charged for them"
            )
        }
        if layer.fact.kind == .orphan {
            notes.append("no metadata of the engine names it, and it has not changed for the time of grace")
        }
        return make(
            layer.fact.kind == .orphan ? "orphan" : "layer", store, layer.key.id, layer.key.id,
            layer.confidence,
            terms, notes)
    }

    // MARK: Parts

    private func term(_ what: String, layer id: String, of store: StoreIdentity) -> Explanation.Term {
        let key = LayerKey(store: store, id: id)
        guard let layer = snapshot.layers[key] else {
            return Explanation.Term(
                what: what, id: id, path: "", diskBytes: 0, sizeBytes: 0, source: "none", state: .damaged,
                reason: "the store has no such layer", lookedAt: nil, sharedBy: 0)
        }
        let isOpen = layer.confidence == .exact && looked.isOpen(layer)
        return Explanation.Term(
            what: what, id: id, path: layer.fact.directory, diskBytes: layer.charged.diskBytes,
            sizeBytes: layer.charged.sizeBytes, source: layer.fact.isWritable ? "events" : "walk",
            state: isOpen ? .converging : SourceState(layer.confidence), reason: layer.confidence.reason,
            lookedAt: layer.lookedAt.map { WireCoding.timestamp(wallNanoseconds: $0) },
            sharedBy: max(0, layer.images.count + layer.containers.count - 1))
    }

    private func term(_ what: String, tree id: String, of store: StoreIdentity) -> Explanation.Term {
        let tree = snapshot.trees[LayerKey(store: store, id: id)]
        return Explanation.Term(
            what: what, id: id, path: tree?.fact.directory ?? "", diskBytes: tree?.charged.diskBytes ?? 0,
            sizeBytes: tree?.charged.sizeBytes ?? 0, source: "events",
            state: SourceState(tree?.confidence ?? .converging), reason: tree?.confidence.reason,
            lookedAt: tree?.lookedAt.map { WireCoding.timestamp(wallNanoseconds: $0) }, sharedBy: 0)
    }

    private func metadata(_ groups: [String], of store: StoreIdentity) -> [Explanation.Term] {
        guard !groups.isEmpty, let overhead = snapshot.overheads[store] else { return [] }
        let sum = overhead.sum(of: groups)
        return [
            Explanation.Term(
                what: "metadata", id: "",
                path: groups.map { "\(overhead.fact.directory(ofGroup: $0))/\($0)" }.joined(
                    separator: " "), diskBytes: sum.diskBytes, sizeBytes: sum.sizeBytes, source: "walk",
                state: SourceState(overhead.confidence), reason: overhead.confidence.reason,
                lookedAt: overhead.lookedAt.map { WireCoding.timestamp(wallNanoseconds: $0) }, sharedBy: 0)
        ]
    }

    private func sharing(_ layers: [String], of store: StoreIdentity) -> [String] {
        let shared = layers.compactMap { snapshot.layers[LayerKey(store: store, id: $0)] }
            .filter { $0.images.count > 1 }
        guard !shared.isEmpty else { return ["no other image uses its layers"] }
        let bytes = shared.map(\.charged).sum().diskBytes
        return [
            """
            \(shared.count) of its \(layers.count) layers, \(bytes) bytes, are other images' as well and are there \
            once
            """
        ]
    }

    private func make(
        _ kind: String, _ store: StoreIdentity, _ id: String, _ name: String, _ confidence: Confidence,
        _ terms: [Explanation.Term], _ notes: [String]
    ) -> Explanation {
        Explanation(
            time: looked.time, exact: looked.isExact, kind: kind, engine: store.engine, driver: store.driver,
            root: store.root, id: id, name: name, state: SourceState(confidence), reason: confidence.reason,
            terms: terms, diskBytes: 0, sizeBytes: 0, notes: notes)
    }
}
