internal import Kernel

/// Files of `/proc`, which have no size: Foundation reads the first page of such a file alone.
public enum ProcessFile {
    public static func text(_ path: String) throws -> String {
        String(decoding: try BoundedFile.read(path: path, limit: 16 << 20), as: UTF8.self)
    }
}
