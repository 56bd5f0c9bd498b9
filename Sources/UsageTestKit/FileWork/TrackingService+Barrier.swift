package import Accounting
package import Tracking

extension TrackingService {
    /// A barrier with ample time, and the layers that were not settled in it; `nil` when not even that is known.
    package func barrier(seconds: Int = 20) async -> Set<LayerKey>? {
        await barrier(deadlineMilliseconds: seconds * 1000 * Sanitizer.slowdown)
    }
}
