/// Magic numbers of file systems, as ``FileSystemStatus/type`` has them; from `statfs(2)` and the kernel's sources.
public enum FileSystemMagic {
    public static let bcachefs: UInt64 = 0xCA45_1A4E
    public static let btrfs: UInt64 = 0x9123_683E
    /// Of ext2 and ext3 as well.
    public static let ext4: UInt64 = 0xEF53
    public static let ocfs2: UInt64 = 0x7461_636F
    public static let overlay: UInt64 = 0x794C_7630
    public static let tmpfs: UInt64 = 0x0102_1994
    public static let xfs: UInt64 = 0x5846_5342
}
