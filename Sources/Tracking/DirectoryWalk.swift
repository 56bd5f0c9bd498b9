internal import Kernel
internal import SystemPackage

/// A walk over directories that stays on one file system and passes no symbolic link.
///
/// What goes meanwhile is left out. Memory grows with the number of directories, not with depth.
enum DirectoryWalk {
    private struct Step<Note> {
        var parent: Int
        var name: FileName
        var note: Note
    }

    /// Calls `visit` for each entry of each directory, with what was noted of the directory.
    ///
    /// - Parameters:
    ///   - root: Where to begin.
    ///   - note: What is noted of it.
    ///   - isCancelled: Asked at each directory; the walk then fails with `ECANCELED`.
    ///   - visit: Returns what is noted of an entry that is a directory to be walked, else `nil`.
    /// - Returns: How many directories were read.
    /// - Throws: What the kernel said, `ECANCELED`, or what `visit` throws.
    static func run<Note>(
        _ root: Directory, note: Note, isCancelled: () -> Bool,
        visit: (Directory, FileName, Note) throws(KernelError) -> Note?
    ) throws(KernelError) -> Int64 {
        let device = try root.status().identity.device
        var steps = [Step(parent: -1, name: FileName(bytes: []), note: note)]
        var stack = [0]
        var opened = OpenAncestors(root: 0, root)
        var directoriesRead: Int64 = 0
        while let index = stack.popLast() {
            guard !isCancelled() else { throw KernelError(call: "walk", errno: .canceled) }
            let directory: Directory
            let names: [FileName]
            do {
                directory = try opened.open(index) {
                    (steps[$0].parent, steps[$0].name)
                } by: { (path, above) throws(KernelError) in
                    try above.openDescendant(path)
                }
                guard try directory.status().identity.device == device else { continue }
                directoriesRead += 1
                names = try directory.names()
            } catch {
                // It was removed, or is something else by now.
                guard error.leadsElsewhere else { throw error }
                continue
            }
            for name in names {
                if let note = try visit(directory, name, steps[index].note) {
                    steps.append(Step(parent: index, name: name, note: note))
                    stack.append(steps.count - 1)
                }
            }
        }
        return directoriesRead
    }
}

extension Directory {
    /// The status of an entry that is on a file system; `nil` where it is gone, a whiteout, or of another file system.
    func countedStatus(of name: FileName, on device: UInt64) throws(KernelError) -> FileStatus? {
        let status: FileStatus
        do {
            status = try self.status(of: name)
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
        return status.identity.device == device && !status.isWhiteout ? status : nil
    }
}
