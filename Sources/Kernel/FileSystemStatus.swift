internal import CLinux
internal import Glibc
internal import SystemPackage

/// How full a file system is, as `df` computes it.
public struct FileSystemStatus: Hashable, Sendable {
    /// All bytes, of which some may be reserved for root.
    public let sizeBytes: Int64
    /// `(f_blocks - f_bfree) * f_frsize`: what `df` calls Used.
    public let usedBytes: Int64
    /// What an unprivileged writer can still have.
    public let availableBytes: Int64
    public let device: UInt64
    /// The file system's magic number, as in `statfs(2)`.
    public let type: UInt64
    public let blockSize: Int64

    /// The status of the file system that holds `path`.
    ///
    /// The corresponding C function is `fstatfs`.
    public static func of(path: String) throws(KernelError) -> FileSystemStatus {
        let raw = Glibc.open(path, O_CLOEXEC | CLINUX_O_PATH)
        guard raw >= 0 else { throw KernelError(call: "open", path: path) }
        defer { Glibc.close(raw) }
        return try of(raw, path: path)
    }

    /// The status of the file system that holds an open directory.
    ///
    /// The corresponding C function is `fstatfs`.
    public static func of(_ directory: Directory) throws(KernelError) -> FileSystemStatus {
        try of(directory.descriptor.rawValue, path: "")
    }

    private static func of(_ raw: Int32, path: String) throws(KernelError) -> FileSystemStatus {
        var fs = clinux_filesystem()
        var status = clinux_status()
        guard clinux_fstatfs(raw, &fs) == 0 else { throw KernelError(call: "fstatfs", path: path) }
        guard clinux_status_at(raw, "", &status) == 0 else { throw KernelError(call: "fstat", path: path) }
        return FileSystemStatus(
            sizeBytes: bytes(fs.blocks, fs.block_size),
            usedBytes: bytes(fs.blocks >= fs.free_blocks ? fs.blocks - fs.free_blocks : 0, fs.block_size),
            availableBytes: bytes(fs.available_blocks, fs.block_size),
            device: status.device,
            type: fs.type,
            blockSize: Int64(clamping: fs.block_size))
    }

    private static func bytes(_ blocks: UInt64, _ size: UInt64) -> Int64 {
        let (product, overflow) = blocks.multipliedReportingOverflow(by: size)
        return overflow ? Int64.max : Int64(clamping: product)
    }
}
