internal import Kernel

/// Files of `/proc`, which have no size: Foundation reads the first page of such a file alone.
public enum ProcessFile {
    public static func text(_ path: String) throws -> String {
        String(decoding: try BoundedFile.read(path: path, limit: 16 << 20), as: UTF8.self)
    }

    /// The number on the line that begins with a name and a colon, without its unit.
    public static func number(_ name: String, in text: String) -> Int64? {
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line.flatMap { Int64($0.filter(\.isNumber)) }
    }
}
