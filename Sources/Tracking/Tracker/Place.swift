package import Kernel

/// One name in one directory of a layer.
package struct Place: Hashable, Sendable {
    /// The directory's inode number.
    package var directory: UInt64
    package var name: FileName

    package init(directory: UInt64, name: FileName) {
        self.directory = directory
        self.name = name
    }
}
