import Foundation
import Glibc

/// A directory of its own for one test, which removes it at the end.
struct TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/usaged-history-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    var entries: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? []
    }

    func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }
}

/// A small file system in memory, where the test may mount one.
struct TinyFileSystem {
    let path: String
    private let directory: TemporaryDirectory

    static let isPossible = {
        guard geteuid() == 0, let probe = try? TinyFileSystem(kilobytes: 64) else { return false }
        probe.remove()
        return true
    }()

    init(kilobytes: Int) throws {
        directory = try TemporaryDirectory()
        path = directory.path
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k") == 0 else {
            let code = errno
            directory.remove()
            throw POSIXError(.init(rawValue: code) ?? .EIO)
        }
    }

    func makeReadOnly() throws {
        guard mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0 else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
    }

    func remove() {
        umount2(path, Int32(MNT_DETACH))
        directory.remove()
    }
}
