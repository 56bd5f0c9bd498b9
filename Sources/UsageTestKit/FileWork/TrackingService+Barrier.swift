package import Accounting
package import Tracking

extension TrackingService {
    /// A barrier with ample time, and the layers that were not settled in it; `nil` when not even that is known.
    package func barrier() async -> Set<LayerKey>? {
        await barrier(deadlineMilliseconds: 20_000 * Sanitizer.slowdown)
    }
}
