package import Kernel

/// What tracking needs of a file system: to look, and to be told.
///
/// The real one is ``KernelFileSystem``; a simulated one lets the tracker be run through millions of steps
/// without a disk.
package protocol LayerFileSystem {
    associatedtype Handle

    /// Opens the layer's directory, following links above it: the operator or the store's layout named it.
    func openRoot() throws(KernelError) -> Handle
    /// The directory that the layer's path leads to now, which is not opened for that.
    func rootIdentity() throws(KernelError) -> FileStatus.Identity
    /// Opens a directory below the layer's, by way of directories alone.
    func open(_ path: [FileName], below root: Handle) throws(KernelError) -> Handle
    func status(of directory: Handle) throws(KernelError) -> FileStatus
    func status(of name: FileName, in directory: Handle) throws(KernelError) -> FileStatus
    /// Calls `body` for each entry. Entries that come or go meanwhile may be missed.
    func forEachEntry(in directory: Handle, _ body: (FileName) -> Void) throws(KernelError)
    /// Asks for the events of a directory; asking again for the same inode returns the same watch.
    ///
    /// `EDQUOT` means that the watches which the configuration allows are used up, not those of the kernel.
    func watch(_ directory: Handle) throws(KernelError) -> Int32
    func unwatch(_ watch: Int32)
    /// Whether a watch is this layer's, and no other layer has asked for the events of its directory since.
    func owns(_ watch: Int32) -> Bool
    /// Files whose blocks stay as they were when they were written; those of others may change at writeback or after,
    /// without an event.
    func settledFiles(of root: Handle) -> SettledFiles
    /// Whether the layer's directory itself is counted.
    var countsRoot: Bool { get }

    /// Whether the layer is mounted where watches are to be held too.
    var hasMount: Bool { get }
    /// Opens the layer's directory as its mount shows it; `nil` where it is not mounted.
    func openMount() throws(KernelError) -> Handle?
    /// Asks for the events of a directory in the mount, as ``watch(_:)`` does for the layer's own.
    func watchInMount(_ directory: Handle, isRoot: Bool) throws(KernelError) -> Int32
}

extension LayerFileSystem {
    package func rootIdentity() throws(KernelError) -> FileStatus.Identity {
        try status(of: openRoot()).identity
    }

    package var countsRoot: Bool { true }
    package var hasMount: Bool { false }

    package func openMount() throws(KernelError) -> Handle? { nil }

    package func watchInMount(_ directory: Handle, isRoot: Bool) throws(KernelError) -> Int32 {
        try watch(directory)
    }
}
