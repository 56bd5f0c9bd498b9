internal import Accounting

/// What is worth telling of the step from one snapshot to the next.
///
/// Objects of a store that the earlier snapshot did not have are not news: the store is.
struct SnapshotDifference {
    struct Usage {
        var container: ContainerUsage
        /// By how much its writable layer changed.
        var change: Measure
    }

    private struct ImageKey: Hashable {
        var store: StoreIdentity
        var id: String

        init(_ image: ImageUsage) {
            store = image.store
            id = image.fact.id
        }
    }

    var containersAdded: [ContainerUsage] = []
    var containersRemoved: [ContainerUsage] = []
    var usage: [Usage] = []
    /// New ones, and those whose names or figures changed.
    var imagesAdded: [ImageUsage] = []
    /// Of these, the new ones and those whose names changed.
    var imagesNamed: [ImageUsage] = []
    var imagesRemoved: [ImageUsage] = []
    /// Stores that are new, or whose state or problems changed.
    var sources: [(now: SourceUsage, before: SourceUsage?)] = []
    /// Stores that are not followed any more; what was in them is among what was removed.
    var sourcesRemoved: [SourceUsage] = []

    init(from before: UsageSnapshot, to now: UsageSnapshot) {
        guard before.version != now.version else { return }
        let known = Dictionary(
            before.sources.map { ($0.store, $0) }, uniquingKeysWith: { first, _ in first })
        for source in now.sources {
            let earlier = known[source.store]
            if earlier.map(Told.init) != Told(source) { sources.append((source, earlier)) }
        }
        let followed = Set(now.sources.map(\.store))
        sourcesRemoved = before.sources.filter { !followed.contains($0.store) }

        let containers = Dictionary(
            before.containers.map { ($0.key, $0) },
            uniquingKeysWith: { first, _ in first })
        var present: Set<ContainerKey> = []
        for container in now.containers {
            let key = container.key
            present.insert(key)
            guard let earlier = containers[key] else {
                if known[container.store] != nil { containersAdded.append(container) }
                continue
            }
            let change = container.writable - earlier.writable
            let isOther =
                earlier.fact.name != container.fact.name || earlier.image != container.image
                || earlier.fact.isRunning != container.fact.isRunning
                || earlier.confidence.isTrouble != container.confidence.isTrouble
                || earlier.deletedOpen?.measure.diskBytes != container.deletedOpen?.measure.diskBytes
            if change != .zero || isOther { usage.append(Usage(container: container, change: change)) }
        }
        containersRemoved = before.containers.filter { !present.contains($0.key) }

        let images = Dictionary(
            before.images.map { (ImageKey($0), $0) },
            uniquingKeysWith: { first, _ in first })
        var presentImages: Set<ImageKey> = []
        for image in now.images {
            let key = ImageKey(image)
            presentImages.insert(key)
            guard known[image.store] != nil else { continue }
            let earlier = images[key]
            let isNamed = earlier?.fact.names != image.fact.names
            if isNamed || earlier?.virtual != image.virtual { imagesAdded.append(image) }
            if isNamed { imagesNamed.append(image) }
        }
        imagesRemoved = before.images.filter { !presentImages.contains(ImageKey($0)) }
    }

    /// What of a source is told: that figures wait for a look comes and goes with each write.
    private struct Told: Equatable {
        var confidence: Confidence
        var problems: [StoreProblem]
        var isMeasured: Bool

        init(_ source: SourceUsage) {
            confidence = source.confidence == .converging ? .exact : source.confidence
            problems = source.problems
            isMeasured = source.layersMeasured >= source.layersTotal
        }
    }
}

extension Confidence {
    /// Whether it is neither exact nor about to be.
    var isTrouble: Bool {
        switch self {
        case .exact, .converging: false
        case .polling, .stale, .damaged: true
        }
    }
}
