/// Where an engine mounts a writable layer on its chain with overlayfs.
public struct OverlayMount: Hashable, Sendable {
    /// The absolute path of the directory that it is mounted on while it is in use.
    public var merged: String
    /// The absolute path of overlayfs's work directory; each mount makes the directory `work` in it anew.
    public var work: String

    public init(merged: String, work: String) {
        self.merged = merged
        self.work = work
    }
}
