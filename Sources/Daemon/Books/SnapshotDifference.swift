internal import Accounting

/// What is worth telling of the step from one snapshot to the next.
///
/// Objects of a store that the earlier snapshot did not have are not news: the store is. What both snapshots share is not
/// looked at.
struct SnapshotDifference {
    struct Usage {
        var container: ContainerUsage
        /// By how much its writable layer changed.
        var change: Measure
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
        for store in now.stores {
            let earlier = before.usage(of: store.store)
            if earlier.map({ Told($0.source) }) != Told(store.source) {
                sources.append((store.source, earlier?.source))
            }
            if let earlier {
                takeContainers(from: earlier, to: store)
                takeImages(from: earlier, to: store)
            }
        }
        for store in before.stores where now.usage(of: store.store) == nil {
            sourcesRemoved.append(store.source)
            containersRemoved += store.containers
            imagesRemoved += store.images
        }
    }

    private mutating func takeContainers(from before: StoreUsage, to now: StoreUsage) {
        if let changes = now.changedContainers(since: before) {
            for change in changes { takeContainer(from: change.before, to: change.now) }
            return
        }
        let known = Dictionary(
            before.containers.map { ($0.fact.id, $0) }, uniquingKeysWith: { first, _ in first })
        for container in now.containers {
            if let earlier = known[container.fact.id] {
                takeContainer(from: earlier, to: container)
            } else {
                containersAdded.append(container)
            }
        }
        let present = Set(now.containers.map(\.fact.id))
        containersRemoved += before.containers.filter { !present.contains($0.fact.id) }
    }

    private mutating func takeContainer(from before: ContainerUsage, to now: ContainerUsage) {
        let change = now.writable - before.writable
        let isOther =
            before.fact.name != now.fact.name || before.image != now.image
            || before.fact.isRunning != now.fact.isRunning
            || before.confidence.isTrouble != now.confidence.isTrouble
            || before.deletedOpen?.measure.diskBytes != now.deletedOpen?.measure.diskBytes
        if change != .zero || isOther { usage.append(Usage(container: now, change: change)) }
    }

    private mutating func takeImages(from before: StoreUsage, to now: StoreUsage) {
        if let changes = now.changedImages(since: before) {
            for change in changes { takeImage(from: change.before, to: change.now) }
            return
        }
        let known = Dictionary(
            before.images.map { ($0.fact.id, $0) }, uniquingKeysWith: { first, _ in first })
        for image in now.images { takeImage(from: known[image.fact.id], to: image) }
        let present = Set(now.images.map(\.fact.id))
        imagesRemoved += before.images.filter { !present.contains($0.fact.id) }
    }

    private mutating func takeImage(from before: ImageUsage?, to now: ImageUsage) {
        let isNamed = before?.fact.names != now.fact.names
        if isNamed || before?.virtual != now.virtual { imagesAdded.append(now) }
        if isNamed { imagesNamed.append(now) }
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
