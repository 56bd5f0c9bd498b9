internal import CLinux
internal import Glibc
internal import SystemPackage

/// Where a file's bytes lie on its file system.
public enum FileExtents {
    public struct Extent: Hashable, Sendable {
        /// Bytes from the start of the file system's space.
        public var physical: UInt64
        public var length: UInt64
        /// Whether ``length`` counts bytes before compression, so that ranges do not tell what overlaps.
        public var isEncoded: Bool
    }

    /// Calls `body` for each extent of an entry that is a regular file which the file system says other files share.
    ///
    /// What is not written out yet has no place and is not shared. A file that is no regular one, that went or that
    /// may not be opened has none. The corresponding C function is `ioctl` with `FS_IOC_FIEMAP`.
    public static func forEachShared(
        _ name: FileName, in directory: Directory, _ body: (Extent) -> Void
    ) throws(KernelError) {
        // A lease that a process of the container holds on it is not waited for.
        guard let file = try? RegularFile.open(name, in: directory) else { return }
        var start: UInt64 = 0
        var extents = [clinux_extent](repeating: clinux_extent(), count: Int(CLINUX_EXTENTS))
        while true {
            let count = clinux_extents(file.raw, start, &extents)
            guard count >= 0 else { throw KernelError(call: "fiemap", path: name.escaped) }
            guard count > 0 else { return }
            for extent in extents.prefix(Int(count))
            where extent.flags & CLINUX_EXTENT_SHARED != 0 && extent.flags & CLINUX_EXTENT_PLACELESS == 0 {
                body(
                    Extent(
                        physical: extent.physical, length: extent.length,
                        isEncoded: extent.flags & CLINUX_EXTENT_ENCODED != 0))
            }
            let last = extents[Int(count) - 1]
            let (next, overflow) = last.logical.addingReportingOverflow(last.length)
            guard last.flags & CLINUX_EXTENT_LAST == 0, !overflow, next > start else { return }
            start = next
        }
    }
}
