import Glibc

/// Paths that an operator gave.
enum AbsolutePath {
    /// The path free of symbolic links, or, where it does not exist, as absolute text.
    static func resolve(_ path: String) -> String {
        if let resolved = realpath(path, nil) {
            defer { free(resolved) }
            return String(cString: resolved)
        }
        var text = path
        if !text.hasPrefix("/"), let current = getcwd(nil, 0) {
            defer { free(current) }
            text = String(cString: current) + "/" + text
        }
        let parts = text.split(separator: "/").filter { $0 != "." }
        return "/" + parts.joined(separator: "/")
    }

    /// The path itself, or the nearest directory above it that exists.
    static func nearestExisting(_ path: String) -> String {
        var parts = path.split(separator: "/")
        while !parts.isEmpty {
            let candidate = "/" + parts.joined(separator: "/")
            if isDirectory(candidate) { return candidate }
            parts.removeLast()
        }
        return "/"
    }

    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Whether it is a directory itself, and no symbolic link to one.
    static func isOwnDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
