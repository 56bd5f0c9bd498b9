public import Accounting

/// The measure of a layer that does not change, with what tells whether it is still the same layer.
public struct CachedMeasure: Hashable, Sendable {
    /// The root directory's inode when the layer was measured.
    public var root: RootIdentity
    /// The directory that was measured.
    public var directory: String
    public var measure: LayerMeasure

    public init(root: RootIdentity, directory: String, measure: LayerMeasure) {
        self.root = root
        self.directory = directory
        self.measure = measure
    }
}

/// Which inode a layer's root directory is, and when that inode last changed.
///
/// A measure holds as long as all three are the same: a directory that was removed and made again has another
/// inode or a later change time, even where the file system gives the number out again.
public struct RootIdentity: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64
    /// `st_ctime` in nanoseconds since the epoch; every change of `st_mtime` moves it too.
    public var changed: Int64

    public init(device: UInt64, inode: UInt64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.changed = changed
    }
}
