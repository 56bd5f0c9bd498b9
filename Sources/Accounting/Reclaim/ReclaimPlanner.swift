/// Finds out what goes with a set of objects, and what of it something else holds.
struct ReclaimPlanner {
    private let snapshot: UsageSnapshot
    private let store: StoreIdentity
    private let images: [String: ImageUsage]
    private let containers: [ContainerUsage]
    private var goingImages: Set<String>
    private let goingContainers: Set<String>
    private var goingVolumes: Set<String>
    private let askedImages: Set<String>
    private let askedLayers: Set<String>

    /// Plans for the objects of one store.
    init(_ snapshot: UsageSnapshot, _ store: StoreIdentity, _ targets: [ReclaimTarget]) {
        self.snapshot = snapshot
        self.store = store
        images = Dictionary(
            snapshot.images.lazy.filter { $0.store == store }.map { ($0.fact.id, $0) },
            uniquingKeysWith: { first, _ in first })
        containers = snapshot.containers.filter { $0.store == store }
        var asked: (images: Set<String>, containers: Set<String>, volumes: Set<String>, layers: Set<String>) =
            ([], [], [], [])
        for target in targets where target.store == store {
            switch target.object {
            case .image(let id): asked.images.insert(id)
            case .container(let id): asked.containers.insert(id)
            case .volume(let name): asked.volumes.insert(name)
            case .layer(let id): asked.layers.insert(id)
            }
        }
        askedImages = asked.images
        goingImages = asked.images
        goingContainers = asked.containers
        goingVolumes = asked.volumes
        askedLayers = asked.layers
    }

    /// Adds the store's part to a plan; returns the keys of the layers and trees that go.
    mutating func add(to plan: inout ReclaimPlan) -> Set<LayerKey> {
        settleImages(&plan)
        holdVolumes(&plan)
        let freed = freedLayers()
        tellHeldLayers(freed, &plan)
        return tellItems(freed, &plan)
    }

    // MARK: What stays

    /// Finds out which images go: those that no container is made of, and that no image which stays is built on.
    ///
    /// With the last that needs it goes the untagged image that it was built on. A snapshot of containerd does not
    /// keep its image.
    private mutating func settleImages(_ plan: inout ReclaimPlan) {
        guard store.engine != "containerd" else { return }
        var children: [String: [String]] = [:]
        for (id, image) in images {
            if let parent = image.fact.parent { children[parent, default: []].append(id) }
        }
        var users: [String: String] = [:]
        for container in containers where !goingContainers.contains(container.fact.id) {
            users[container.fact.imageID] = container.fact.name
        }
        goingImages = []
        var rest = askedImages.filter { images[$0] != nil }
        var isSettled = false
        while !isSettled {
            isSettled = true
            for id in rest.sorted() where users[id] == nil {
                guard (children[id] ?? []).allSatisfy(goingImages.contains) else { continue }
                goingImages.insert(id)
                rest.remove(id)
                isSettled = false
                if let parent = images[id]?.fact.parent, images[parent]?.fact.names.isEmpty == true,
                    !goingImages.contains(parent)
                {
                    rest.insert(parent)
                }
            }
        }
        for id in rest.sorted() where askedImages.contains(id) {
            guard let image = images[id] else { continue }
            let child = children[id]?.filter { !goingImages.contains($0) }.min()
            let reason =
                users[id].map { "the container \($0) is made of it" }
                ?? "the image \(child.flatMap { images[$0]?.shownName } ?? "") is built on it"
            plan.stays.append(
                .init(kind: .image, store: store, id: id, measure: image.virtual, reason: reason))
        }
    }

    private mutating func holdVolumes(_ plan: inout ReclaimPlan) {
        for volume in snapshot.volumes where volume.store == store && goingVolumes.contains(volume.fact.name)
        {
            guard let holder = volume.containers.first(where: { !goingContainers.contains($0) }) else {
                continue
            }
            goingVolumes.remove(volume.fact.name)
            let name = containers.first { $0.fact.id == holder }?.fact.name ?? holder
            plan.stays.append(
                .init(
                    kind: .volume, store: store, id: volume.fact.name, measure: volume.measure ?? .zero,
                    reason: "the container \(name) mounts it"))
        }
    }

    /// The layers that nothing needs which stays.
    private func freedLayers() -> Set<String> {
        var candidates = askedLayers
        for id in goingImages { candidates.formUnion(images[id]?.fact.layers ?? []) }
        for container in containers where goingContainers.contains(container.fact.id) {
            candidates.formUnion(container.allLayers)
        }
        var held: Set<String> = []
        for (id, image) in images where !goingImages.contains(id) { held.formUnion(image.fact.layers) }
        for container in containers where !goingContainers.contains(container.fact.id) {
            held.formUnion(container.allLayers)
        }
        held.formUnion(candidates.filter(isCached))
        // What a layer that stays lies on stays as well.
        var parents: [String: String] = [:]
        var staying: [String] = []
        for layer in snapshot.layers.values where layer.key.store == store {
            parents[layer.key.id] = layer.fact.parent
            if !candidates.contains(layer.key.id) || held.contains(layer.key.id) {
                staying.append(layer.key.id)
            }
        }
        var above: Set<String> = []
        for layer in staying {
            var next = parents[layer]
            while let id = next, above.insert(id).inserted { next = parents[id] }
        }
        return candidates.subtracting(held).subtracting(above)
    }

    private func tellHeldLayers(_ freed: Set<String>, _ plan: inout ReclaimPlan) {
        var told: Set<String> = []
        let chains = goingImages.sorted().map { images[$0]?.fact.layers ?? [] } + [askedLayers.sorted()]
        for layer in chains.joined() where !freed.contains(layer) && told.insert(layer).inserted {
            guard let usage = snapshot.layers[LayerKey(store: store, id: layer)] else { continue }
            let image = usage.images.first { !goingImages.contains($0) }.flatMap { images[$0] }
            let container = usage.containers.first { !goingContainers.contains($0) }
            let name = containers.first { $0.fact.id == container }?.fact.name
            let reason =
                image.map { "the image \($0.shownName) has it" } ?? name.map {
                    "the container \($0) lies on it"
                }
                ?? (isCached(layer) ? "the build cache has it" : "another layer lies on it")
            plan.stays.append(
                .init(kind: .layer, store: store, id: layer, measure: usage.gross, reason: reason))
        }
    }

    // MARK: What goes

    private func tellItems(_ freed: Set<String>, _ plan: inout ReclaimPlan) -> Set<LayerKey> {
        var account = Account(snapshot, store, stayingGroups: stayingGroups(freed))
        var leftOver = freed
        for id in askedImages.union(goingImages).sorted() {
            guard goingImages.contains(id), let image = images[id] else { continue }
            for layer in image.fact.layers where leftOver.remove(layer) != nil { account.take(layer: layer) }
            for blob in image.fact.content where !isContentHeld(blob) { account.take(layer: blob) }
            account.take(groups: image.fact.metadata)
            plan.items.append(
                account.item(.image(id: id), image.shownName, isImplied: !askedImages.contains(id)))
        }
        for container in containers where goingContainers.contains(container.fact.id) {
            for layer in container.allLayers where leftOver.remove(layer) != nil {
                account.take(layer: layer)
            }
            for tree in container.fact.trees { account.take(tree: tree) }
            account.take(groups: container.fact.metadata)
            plan.items.append(account.item(.container(id: container.fact.id), container.fact.name))
        }
        for volume in snapshot.volumes where volume.store == store && goingVolumes.contains(volume.fact.name)
        {
            if let tree = volume.fact.tree { account.take(tree: tree) }
            account.take(groups: volume.fact.metadata)
            plan.items.append(account.item(.volume(name: volume.fact.name), volume.fact.name))
        }
        for layer in askedLayers.sorted() where leftOver.remove(layer) != nil {
            account.take(layer: layer)
            plan.items.append(account.item(.layer(id: layer), layer))
        }
        plan.pieces += account.pieces
        plan.doubts += account.doubts
        return account.taken
    }

    /// Whether the cache of builds has a layer, which was not asked to go from it.
    private func isCached(_ layer: String) -> Bool {
        !askedLayers.contains(layer)
            && snapshot.layers[LayerKey(store: store, id: layer)]?.fact.isCached == true
    }

    private func isContentHeld(_ blob: String) -> Bool {
        isCached(blob)
            || images.contains { !goingImages.contains($0.key) && $0.value.fact.content.contains(blob) }
    }

    /// Groups of metadata that something names which stays.
    private func stayingGroups(_ freed: Set<String>) -> Set<String> {
        var groups: Set<String> = []
        for layer in snapshot.layers.values where layer.key.store == store && !freed.contains(layer.key.id) {
            if layer.fact.kind == .content { continue }
            groups.formUnion(layer.fact.metadata)
        }
        for (id, image) in images where !goingImages.contains(id) { groups.formUnion(image.fact.metadata) }
        for container in containers where !goingContainers.contains(container.fact.id) {
            groups.formUnion(container.fact.metadata)
        }
        for volume in snapshot.volumes where volume.store == store && !goingVolumes.contains(volume.fact.name)
        {
            groups.formUnion(volume.fact.metadata)
        }
        return groups
    }
}

extension ImageUsage {
    /// A name where there is one, else the id.
    fileprivate var shownName: String { fact.names.first ?? fact.id }
}

extension ContainerUsage {
    fileprivate var allLayers: [String] {
        [fact.layer] + (fact.initLayer.map { [$0] } ?? []) + fact.chain.reversed()
    }
}
