// Putting figures to a store's facts.
extension UsageSnapshot {
    mutating func add(
        layers facts: StoreFacts, images: ImageBook, ownership: InodeOwnership,
        figure: (String) -> LayerFigure?
    ) {
        var users: [String: [String]] = [:]
        for container in facts.containers {
            for layer in container.chain + [container.layer] + (container.initLayer.map { [$0] } ?? []) {
                users[layer, default: []].append(container.id)
            }
        }
        for layer in facts.layers {
            let key = LayerKey(store: facts.store, id: layer.id)
            let known = figure(layer.id)
            let gross = known?.measure.total ?? .zero
            let charged = gross - ownership.chargedElsewhere(key) - extentsElsewhere(key)
            self.layers[key] = LayerUsage(
                key: key, fact: layer, charged: charged, gross: gross,
                linkedOutside: known?.measure.linkedOutside ?? [:], lookedAt: known?.lookedAt,
                confidence: known?.confidence ?? .converging, images: images.users[layer.id] ?? [],
                containers: users[layer.id] ?? [])
            totals.add(layer.kind, charged)
        }
    }

    mutating func add(
        trees facts: StoreFacts, ownership: InodeOwnership, figure: (String) -> LayerFigure?
    ) {
        for tree in facts.trees {
            let key = LayerKey(store: facts.store, id: tree.id)
            let known = figure(tree.id)
            let gross = known?.measure.total ?? .zero
            let charged = gross - ownership.chargedElsewhere(key) - extentsElsewhere(key)
            trees[key] = TreeUsage(
                key: key, fact: tree, charged: charged, gross: gross,
                linkedOutside: known?.measure.linkedOutside ?? [:], lookedAt: known?.lookedAt,
                confidence: known?.confidence ?? .converging)
            totals.add(tree.kind, charged)
        }
    }

    private func extentsElsewhere(_ key: LayerKey) -> Measure {
        Measure(
            diskBytes: sharedExtents[key.store]?.chargedElsewhere[key] ?? 0, sizeBytes: 0, inodes: 0)
    }

    mutating func add(_ overhead: OverheadUsage, of store: StoreIdentity) {
        overheads[store] = overhead
        totals.overhead.add(overhead.charged)
    }

    mutating func add(containers facts: StoreFacts, images: ImageBook, figure: (String) -> LayerFigure?) {
        let damage = facts.damage { if case .container(let id) = $0 { id } else { nil } }
        for fact in facts.containers {
            let known = figure(fact.layer)
            let writable = known?.measure.total ?? .zero
            let chain = fact.chain.compactMap { figure($0)?.measure }
            // A full copy holds what the chain has.
            let isFullCopy = layers[LayerKey(store: facts.store, id: fact.layer)]?.fact.isFullCopy == true
            let below = isFullCopy ? .zero : InodeOwnership.sum(ofChain: chain)
            var confidence = known?.confidence ?? .converging
            var logs = Measure.zero
            for tree in fact.trees {
                let usage = trees[LayerKey(store: facts.store, id: tree)]
                logs += usage?.charged ?? .zero
                confidence = confidence.worse(usage?.confidence ?? .converging)
            }
            if let reason = damage[fact.id] { confidence = confidence.worse(.damaged(reason: reason)) }
            containers.append(
                ContainerUsage(
                    store: facts.store, fact: fact,
                    image: images.names[fact.imageID]
                        ?? (fact.imageID.isEmpty ? fact.imageName ?? "" : fact.imageID),
                    writable: writable, virtual: below + writable, logs: logs,
                    metadata: overheads[facts.store]?.sum(of: fact.metadata) ?? .zero,
                    confidence: confidence, isMeasured: known?.isMeasured ?? false,
                    deletedOpen: deletedOpen.completeness.isKnown
                        ? deletedOpen.byLayer[LayerKey(store: facts.store, id: fact.layer)] ?? DeletedOpen()
                        : nil))
        }
    }

    mutating func add(volumes facts: StoreFacts) {
        guard !facts.volumes.isEmpty else { return }
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
        for fact in facts.volumes.sorted(by: { $0.name < $1.name }) {
            let tree = fact.tree.flatMap { trees[LayerKey(store: facts.store, id: $0)] }
            var confidence = fact.tree == nil ? .exact : tree?.confidence ?? .converging
            if let reason = damage[fact.name] { confidence = confidence.worse(.damaged(reason: reason)) }
            volumes.append(
                VolumeUsage(
                    store: facts.store, fact: fact, measure: tree?.charged, confidence: confidence,
                    containers: users[fact.name] ?? []))
        }
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
