/// A name of a file: the slot of an entry of a directory.
struct NameReference: Hashable {
    /// The directory's inode number.
    let directory: UInt64
    // Four bytes, for there is one in each file's record.
    let slot: UInt32

    init(directory: UInt64, slot: Int) {
        self.directory = directory
        self.slot = UInt32(slot)
    }
}
