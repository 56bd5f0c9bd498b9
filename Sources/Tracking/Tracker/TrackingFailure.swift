package import Kernel

/// Why a layer cannot be tracked by events.
///
/// Not nested in the generic tracker: an error of such a type stops the optimizer of Swift 6.3 (a failed assertion in
/// its specialization of function signatures).
package enum TrackingFailure: Error, Hashable, Sendable {
    /// Watches have run out, or the layer is too large to hold.
    case untrackable(reason: String)
    /// The directory is not there or cannot be read.
    case unreadable(KernelError)
}
