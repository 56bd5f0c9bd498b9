import Kernel

/// Reads a configuration file of TOML.
enum TOMLFile {
    static let limit = 4 << 20

    /// The document; `nil` where there is no file.
    ///
    /// `followingLinks` is for a file that nobody but the administrator can replace.
    static func read(_ path: String, followingLinks: Bool) throws(MetadataFault) -> TOMLValue? {
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(
                path: followingLinks ? AbsolutePath.resolve(path) : path, limit: limit)
        } catch {
            if error.isMissing { return nil }
            throw MetadataFault(error, path: path)
        }
        do {
            return try TOMLParser.parse(bytes)
        } catch {
            throw MetadataFault.damaged(path, "it is not TOML: \(error)")
        }
    }
}
