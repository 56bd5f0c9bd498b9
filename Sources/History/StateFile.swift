internal import Glibc

/// The files of the state database: making the first one and moving a damaged one out of the way.
enum StateFile {
    /// Makes an empty file of mode 0640, whatever the umask, where there is none.
    ///
    /// SQLite gives its other files the same mode.
    static func makeIfMissing(_ path: String) throws(StateError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else {
            let code = errno
            if code == EEXIST { return }
            throw StateError(errno: code, operation: "make the state database", path: path)
        }
        _ = fchmod(descriptor, 0o640)
        _ = Glibc.close(descriptor)
    }

    struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    /// Which file a path leads to; `nil` for none.
    static func identity(_ path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    static func requireDirectory(_ path: String) throws(StateError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw StateError(errno: errno, operation: "keep state", path: path)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw StateError(errno: ENOTDIR, operation: "keep state", path: path)
        }
    }

    /// Whether something other than a regular file has the name.
    static func isForeignObject(_ path: String) -> Bool {
        var status = stat()
        // A link that leads nowhere cannot be opened either.
        guard stat(path, &status) == 0 else { return lstat(path, &status) == 0 }
        return status.st_mode & S_IFMT != S_IFREG
    }

    static func isEmptyOrMissing(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) != 0 || status.st_size == 0
    }

    /// Renames the database and its log to `<path>.damaged-<time>`, so that SQLite opens the pair as before.
    ///
    /// Of earlier damaged ones the newest are kept, `keep` in all.
    /// - Returns: The new path.
    static func moveAside(
        _ path: String, time: Int = Glibc.time(nil), keep: Int = StateLimit.damagedFiles
    ) throws(StateError) -> String {
        let stamped = "\(path).damaged-\(stamp(time))"
        var aside = stamped
        var number = 2
        while exists(aside) || exists(aside + "-wal") {
            aside = "\(stamped).\(number)"
            number += 1
            guard number < 1000 else {
                throw StateError(errno: EEXIST, operation: "move the damaged database aside", path: path)
            }
        }
        // The log first: with it left behind, a new database would take its pages for its own.
        for suffix in ["-wal", "-shm", ""] {
            guard rename(path + suffix, aside + suffix) != 0, errno != ENOENT else { continue }
            throw StateError(errno: errno, operation: "move the damaged database aside", path: path + suffix)
        }
        removeOldest(of: path, keep: keep)
        return aside
    }

    private static func removeOldest(of path: String, keep: Int) {
        guard let slash = path.lastIndex(of: "/") else { return }
        let directory = String(path[..<slash])
        let prefix = path[path.index(after: slash)...] + ".damaged-"
        var names: Set<String> = []
        for name in entries(directory) where name.hasPrefix(prefix) {
            names.insert(name.hasSuffix("-wal") || name.hasSuffix("-shm") ? String(name.dropLast(4)) : name)
        }
        for name in names.sorted().dropLast(keep) {
            for suffix in ["", "-wal", "-shm"] { _ = unlink("\(directory)/\(name)\(suffix)") }
        }
    }

    private static func entries(_ path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream), names.count < 10_000 {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    private static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Sorts by time as text: `20150102T030405Z`.
    private static func stamp(_ time: Int) -> String {
        var time = time
        var parts = tm()
        gmtime_r(&time, &parts)
        func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)\(padded(parts.tm_mon + 1))\(padded(parts.tm_mday))T"
            + "\(padded(parts.tm_hour))\(padded(parts.tm_min))\(padded(parts.tm_sec))Z"
    }
}

extension StateError {
    fileprivate init(errno code: Int32, operation: String, path: String) {
        let kind: Code =
            switch code {
            case ENOENT, ENOTDIR: .noDirectory
            case EACCES, EPERM: .notPermitted
            case EROFS: .readOnly
            case ENOSPC, EDQUOT: .full
            case EIO: .inputOutput
            default: .other
            }
        self.init(code: kind, operation: operation, path: path, reason: String(cString: strerror(code)))
    }
}
