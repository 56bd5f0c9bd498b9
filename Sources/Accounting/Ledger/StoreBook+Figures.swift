// The figures of single objects, each from what was told and nothing else.
extension StoreBook {
    /// What is known of a layer or tree; `nil` for a tree that was not measured.
    private func figure(at position: Int) -> LayerFigure? {
        if let record = records[position] {
            return LayerFigure(
                measure: record.measure, confidence: record.confidence, lookedAt: record.lookedAt)
        }
        guard position < layout.layerCount else { return nil }
        // Until it is measured: what the engine says, and openly not exact.
        let size = layout.facts.layers[position].declaredSizeBytes ?? 0
        return LayerFigure(
            measure: LayerMeasure(total: Measure(diskBytes: size, sizeBytes: size, inodes: 0)),
            confidence: .converging, isMeasured: false)
    }

    /// What is charged to a layer or tree of what lies in it.
    private func charged(at position: Int, _ gross: Measure, _ host: Host) -> Measure {
        var charged = gross - host.ownership.chargedElsewhere(layout.holder(at: position))
        if let extents = sharedExtents?.extents?.chargedElsewhere, !extents.isEmpty {
            let disk = extents[key(at: position)] ?? 0
            charged -= Measure(diskBytes: disk, sizeBytes: 0, inodes: 0)
        }
        return charged
    }

    private func key(at position: Int) -> LayerKey {
        let layers = layout.facts.layers
        let id =
            position < layers.count ? layers[position].id : layout.facts.trees[position - layers.count].id
        return LayerKey(store: store, id: id)
    }

    private func sum(of chain: LayerChain) -> Measure {
        InodeOwnership.sum(ofChain: chain.positions.compactMap { figure(at: $0)?.measure })
    }

    func layer(at position: Int, _ host: Host) -> LayerUsage {
        let known = figure(at: position)
        let gross = known?.measure.total ?? .zero
        return LayerUsage(
            key: key(at: position), fact: layout.facts.layers[position],
            charged: charged(at: position, gross, host),
            gross: gross, linkedOutside: known?.measure.linkedOutside ?? [:], lookedAt: known?.lookedAt,
            confidence: known?.confidence ?? .converging, images: layout.imageUsers[position],
            containers: layout.containerUsers[position])
    }

    func tree(at position: Int, _ host: Host) -> TreeUsage {
        let known = figure(at: position)
        let gross = known?.measure.total ?? .zero
        return TreeUsage(
            key: key(at: position), fact: layout.facts.trees[position - layout.layerCount],
            charged: charged(at: position, gross, host), gross: gross,
            linkedOutside: known?.measure.linkedOutside ?? [:], lookedAt: known?.lookedAt,
            confidence: known?.confidence ?? .converging)
    }

    func image(at position: Int) -> ImageUsage {
        let plan = layout.images[position]
        func measure(_ chain: LayerChain) -> Measure {
            layout.fullCopies.corrected(sum(of: chain), chain: chain.ids)
        }
        let virtual = measure(plan.chain)
        let shared = measure(plan.shared)
        var confidence = plan.chain.isComplete ? Confidence.exact : .converging
        for layer in plan.chain.positions {
            confidence = confidence.worse(figure(at: layer)?.confidence ?? .converging)
        }
        if let reason = plan.damage { confidence = confidence.worse(.damaged(reason: reason)) }
        return ImageUsage(
            store: store, fact: plan.fact, own: measure(plan.own), virtual: virtual, shared: shared,
            unique: virtual - shared, containers: plan.containers, confidence: confidence)
    }

    func container(at position: Int, _ host: Host) -> ContainerUsage {
        let plan = layout.containers[position]
        let known = plan.writable.flatMap { figure(at: $0) }
        let writable = known?.measure.total ?? .zero
        var confidence = known?.confidence ?? .converging
        if !plan.logs.isComplete { confidence = confidence.worse(.converging) }
        var logs = Measure.zero
        for tree in plan.logs.positions {
            let known = figure(at: tree)
            logs += charged(at: tree, known?.measure.total ?? .zero, host)
            confidence = confidence.worse(known?.confidence ?? .converging)
        }
        if let reason = plan.damage { confidence = confidence.worse(.damaged(reason: reason)) }
        var usage = ContainerUsage(
            store: store, fact: plan.fact, image: plan.image, writable: writable,
            virtual: (plan.isFullCopy ? .zero : sum(of: plan.chain)) + writable, logs: logs,
            metadata: overheadUsage(plan.fact.metadata), confidence: confidence,
            isMeasured: known?.isMeasured ?? false, deletedOpen: nil)
        if host.deletedOpen.completeness.isKnown {
            usage.deletedOpen = host.deletedOpen.byLayer[usage.layer] ?? DeletedOpen()
        }
        return usage
    }

    func volume(at position: Int, _ host: Host) -> VolumeUsage {
        let plan = layout.volumes[position]
        let known = plan.tree.flatMap { figure(at: $0) }
        var confidence = plan.fact.tree == nil ? Confidence.exact : known?.confidence ?? .converging
        if let reason = plan.damage { confidence = confidence.worse(.damaged(reason: reason)) }
        return VolumeUsage(
            store: store, fact: plan.fact,
            measure: plan.tree.map { charged(at: $0, known?.measure.total ?? .zero, host) },
            confidence: confidence, containers: plan.containers)
    }

    func overhead(_ host: Host) -> OverheadUsage? {
        layout.facts.overhead.map { fact in
            let total = overhead.measure?.total.total ?? .zero
            return OverheadUsage(
                fact: fact, measure: overhead.measure,
                charged: total - host.ownership.chargedElsewhere(InodeHolder(overheadOf: store)),
                lookedAt: overhead.lookedAt, confidence: overhead.confidence)
        }
    }

    /// What the groups of an object take together.
    private func overheadUsage(_ groups: [String]) -> Measure {
        guard layout.facts.overhead != nil, let measure = overhead.measure else { return .zero }
        return measure.sum(of: groups)
    }

    var extentsUsage: SharedExtentsUsage? {
        sharedExtents.map { known in
            SharedExtentsUsage(
                chargedElsewhere: known.extents?.chargedElsewhere ?? [:], lookedAt: known.lookedAt,
                confidence: known.confidence)
        }
    }

    var source: SourceUsage {
        var confidence = metadata
        if let complaint = layout.complaint { confidence = confidence.worse(complaint) }
        if layout.isPending { confidence = confidence.worse(.converging) }
        confidence = confidence.worse(
            tally.worst(of: records.count) { records[$0]?.confidence })
        if layout.facts.overhead != nil { confidence = confidence.worse(overhead.confidence) }
        if let sharedExtents { confidence = confidence.worse(sharedExtents.confidence) }
        return SourceUsage(
            store: store, confidence: confidence, problems: layout.problems,
            watches: metadataWatches + tally.watches, layersMeasured: tally.measured,
            layersTotal: records.count)
    }
}
