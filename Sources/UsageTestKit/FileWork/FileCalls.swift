internal import CFileWork
internal import Glibc

/// System calls on files that Swift's Glibc module does not show.
package enum FileCalls {
    /// Gives each of two names the other's file, as `renameat2` with `RENAME_EXCHANGE` does; returns what it returned.
    @discardableResult
    package static func exchange(_ first: String, _ second: String) -> Int32 {
        cfilework_exchange(first, second)
    }

    /// Has all of a directory's file system written back, so that every block is allocated.
    package static func writeBack(_ directory: String) throws {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ChildProcess.StartFailure(call: "open", path: directory) }
        defer { close(descriptor) }
        guard cfilework_sync_file_system(descriptor) == 0 else {
            throw ChildProcess.StartFailure(call: "syncfs", path: directory)
        }
    }
}
