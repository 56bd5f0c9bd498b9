internal import Synchronization
internal import Tracking
internal import Wire

/// Numbers of what the daemon did besides tracking.
final class DaemonCounters: Sendable {
    private let metadataReads = Atomic<Int64>(0)
    private let layersFromCache = Atomic<Int64>(0)
    private let layersMeasured = Atomic<Int64>(0)

    func countMetadataRead() { metadataReads.add(1, ordering: .relaxed) }
    func countFromCache() { layersFromCache.add(1, ordering: .relaxed) }
    func countMeasured() { layersMeasured.add(1, ordering: .relaxed) }

    func wire(_ tracking: TrackingCounters, notCached: Int) -> Counters {
        var counters = Counters()
        counters.directoriesRead = tracking.directoriesRead
        counters.filesStatted = tracking.looks
        counters.events = tracking.events
        counters.batches = tracking.batches
        counters.overflows = tracking.overflows
        counters.rescans = tracking.fullLooks
        counters.audits = tracking.audits
        counters.corrections = tracking.corrections
        counters.metadataReads = metadataReads.load(ordering: .relaxed)
        counters.layersFromCache = layersFromCache.load(ordering: .relaxed)
        counters.layersMeasured = layersMeasured.load(ordering: .relaxed)
        counters.layersNotCached = Int64(notCached)
        counters.layersSettling = tracking.settlingLayers
        return counters
    }
}
