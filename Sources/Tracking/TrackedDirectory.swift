internal import Accounting

/// What is followed for one layer or tree, and how.
struct TrackedDirectory: Hashable, Sendable {
    /// The absolute path.
    var path: String
    /// The entries that count; empty where all do, and the directory itself.
    var entries: [NamePattern] = []
    /// Why the kernel's events of the directory do not tell all of it; `nil` where they do.
    var silence: String?
    /// Where an engine mounts it.
    var mount: OverlayMount?
}
