/// What a tracker did since it was made.
package struct TrackerCounters: Hashable, Sendable {
    package var directoriesRead: Int64 = 0
    package var looks: Int64 = 0
    package var batches: Int64 = 0
    package var fullLooks: Int64 = 0
    package var audits: Int64 = 0
    package var corrections: Int64 = 0

    mutating func add(_ other: TrackerCounters) {
        directoriesRead += other.directoriesRead
        looks += other.looks
        batches += other.batches
        fullLooks += other.fullLooks
        audits += other.audits
        corrections += other.corrections
    }
}
