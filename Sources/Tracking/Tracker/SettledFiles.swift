internal import Kernel

/// Which files of a file system keep the blocks they have when they were written.
package struct SettledFiles: Equatable, Sendable {
    /// Allocated bytes up to which they do.
    package var allocated: Int64
    /// The size of a block where a file may hold others than its data, so that only files without holes do; bytes.
    ///
    /// ext4 takes a block for the map of a file with more than four extents. It keeps that when the file is cut, and
    /// takes it back at writeback. While ext4 or btrfs write a file back, its status counts blocks too many or too few
    /// for a moment. A file that has as many blocks as its size needs is taken to have none but its data's.
    package var block: Int64?

    package static let none = Self(allocated: 0)
    package static let all = Self(allocated: .max)

    package init(allocated: Int64, block: Int64? = nil) {
        self.allocated = allocated
        self.block = block
    }

    func contains(_ status: FileStatus) -> Bool {
        guard status.allocated <= allocated else { return false }
        guard let block else { return true }
        guard status.size <= allocated else { return false }
        return status.allocated == (status.size + block - 1) / block * block
    }
}
