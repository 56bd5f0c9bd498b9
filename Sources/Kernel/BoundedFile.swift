internal import SystemPackage

/// Reads whole metadata files without trusting what they are.
public enum BoundedFile {
    /// Why a file was not read.
    public enum Failure: Error, Hashable, Sendable {
        case system(KernelError)
        /// It is a directory, device, FIFO, socket or symbolic link.
        case notRegular(path: String)
        case tooLarge(path: String, limit: Int)
    }

    /// Reads a regular file of at most `limit` bytes.
    ///
    /// The last component may not be a symbolic link, unless `followingLinks` says so, for a file of the
    /// operator's own; a FIFO, socket or device is refused without being opened.
    public static func read(
        path: String, limit: Int, followingLinks: Bool = false
    ) throws(Failure) -> [UInt8] {
        try contents(of: RegularFile.open(path: path, followingLinks: followingLinks), limit: limit)
    }

    /// Reads entry `name` of `directory` under the same rules.
    public static func read(_ name: FileName, in directory: Directory, limit: Int) throws(Failure) -> [UInt8]
    {
        try contents(of: RegularFile.open(name, in: directory), limit: limit)
    }

    private static func contents(of file: RegularFile, limit: Int) throws(Failure) -> [UInt8] {
        let size = try file.status().size
        guard size <= Int64(limit) else { throw .tooLarge(path: file.path, limit: limit) }
        // One byte more than it holds shows that it ends there; files of `/proc` say that they hold none.
        var wanted = size > 0 ? Int(size) + 1 : 64 << 10
        var bytes: [UInt8] = []
        while true {
            let chunk = try file.read(wanted, at: bytes.count)
            bytes += chunk
            // It may grow while it is read.
            guard bytes.count <= limit else { throw .tooLarge(path: file.path, limit: limit) }
            guard chunk.count == wanted else { return bytes }
            wanted = 64 << 10
        }
    }
}

extension BoundedFile.Failure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .notRegular(let path): "\(path): not a regular file"
        case .tooLarge(let path, let limit): "\(path): larger than \(limit) bytes"
        }
    }

    /// Whether the file is simply not there.
    public var isMissing: Bool {
        if case .system(let error) = self {
            return error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory
        }
        return false
    }
}
