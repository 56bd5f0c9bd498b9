import Glibc
import Kernel
import SystemPackage

/// Makes and removes files as an engine does: whole, or by rename.
enum StoreFiles {
    /// Makes a directory at an absolute path, and those on the way that are missing.
    static func makeDirectory(_ path: String) throws(KernelError) {
        guard mkdir(path, 0o755) != 0, Glibc.errno != EEXIST else { return }
        guard Glibc.errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw failure("mkdir", path)
        }
        try makeDirectory(String(path[..<slash]))
        guard mkdir(path, 0o755) == 0 || Glibc.errno == EEXIST else { throw failure("mkdir", path) }
    }

    static func write(_ text: String, to path: String) throws(KernelError) {
        try write(Array(text.utf8), count: text.utf8.count, to: path)
    }

    /// Writes under another name first, so that the file appears whole.
    static func replace(_ path: String, with text: String, temporary: String) throws(KernelError) {
        try write(text, to: temporary)
        try rename(temporary, to: path)
    }

    /// Writes `size` bytes of the same value, so that blocks are allocated for all of them.
    static func fill(_ path: String, size: Int, with byte: UInt8) throws(KernelError) {
        let chunk = [UInt8](repeating: byte, count: min(max(size, 1), 1 << 20))
        try write(chunk, count: size, to: path)
    }

    /// Replaces a whole file with other bytes.
    static func write(_ bytes: [UInt8], to path: String) throws(KernelError) {
        try write(bytes, count: bytes.count, to: path)
    }

    /// Copies the directories, files and links in a directory into another.
    static func copy(_ directory: String, into other: String) throws(KernelError) {
        for name in try names(in: directory) {
            let (from, to) = ("\(directory)/\(name)", "\(other)/\(name)")
            var status = stat()
            guard lstat(from, &status) == 0 else { throw failure("lstat", from) }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                try makeDirectory(to)
                try copy(from, into: to)
            case S_IFLNK:
                var target = [CChar](repeating: 0, count: 4096)
                guard readlink(from, &target, target.count - 1) > 0 else { throw failure("readlink", from) }
                try link(
                    to,
                    to: target.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" })
            default:
                let bytes: [UInt8]
                do {
                    bytes = try BoundedFile.read(path: from, limit: 1 << 30)
                } catch {
                    throw KernelError(call: "read", path: from, errno: .ioError)
                }
                try write(bytes, to: to)
            }
        }
    }

    private static func names(in directory: String) throws(KernelError) -> [String] {
        do {
            return try Directory.open(path: directory).entries().map {
                String(decoding: $0.name.bytes, as: UTF8.self)
            }
        } catch let error as KernelError {
            throw error
        } catch {
            throw KernelError(call: "getdents64", path: directory, errno: .ioError)
        }
    }

    static func rename(_ path: String, to new: String) throws(KernelError) {
        guard Glibc.rename(path, new) == 0 else { throw failure("rename", path) }
    }

    static func link(_ path: String, to target: String) throws(KernelError) {
        guard symlink(target, path) == 0 else { throw failure("symlink", path) }
    }

    /// Removes a file or a whole tree; what is not there is no error.
    static func remove(_ path: String) throws(KernelError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in try names(in: path) { try remove(path + "/" + name) }
            guard rmdir(path) == 0 else { throw failure("rmdir", path) }
        } else {
            guard unlink(path) == 0 else { throw failure("unlink", path) }
        }
    }

    private static func write(_ chunk: [UInt8], count: Int, to path: String) throws(KernelError) {
        let raw = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard raw >= 0 else { throw failure("open", path) }
        defer { close(raw) }
        var rest = count
        while rest > 0 {
            let written = Glibc.write(raw, chunk, min(rest, chunk.count))
            guard written > 0 else { throw failure("write", path) }
            // A short write only shifts where the chunk begins anew, and fills are all of one byte.
            rest -= written
        }
    }

    private static func failure(_ call: String, _ path: String) -> KernelError {
        KernelError(call: call, path: path, errno: Errno(rawValue: Glibc.errno))
    }
}
