/// What a tracker did since it was made.
package struct TrackerCounters: Hashable, Sendable {
    package var directoriesRead: Int64 = 0
    package var looks: Int64 = 0
    package var batches: Int64 = 0
    package var fullLooks: Int64 = 0
    package var audits: Int64 = 0
    package var corrections: Int64 = 0

    mutating func add(_ other: TrackerCounters, since earlier: TrackerCounters) {
        directoriesRead += other.directoriesRead - earlier.directoriesRead
        looks += other.looks - earlier.looks
        batches += other.batches - earlier.batches
        fullLooks += other.fullLooks - earlier.fullLooks
        audits += other.audits - earlier.audits
        corrections += other.corrections - earlier.corrections
    }
}
