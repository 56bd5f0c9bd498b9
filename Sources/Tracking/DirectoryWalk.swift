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
    ///   - visit: Returns what is noted of an entry that is a directory to be walked, else `nil`. It is called while the
    ///     directory is listed, so that names need not be kept.
    /// - Returns: How many directories were read.
    /// - Throws: What the kernel said, `ECANCELED`, or what `visit` throws.
    static func run<Note>(
        _ root: Directory, note: Note, isCancelled: () -> Bool,
        visit: (Directory, ListedEntry, Note) throws(KernelError) -> Note?
    ) throws(KernelError) -> Int64 {
        let device = try root.status().identity.device
        var steps = [Step(parent: -1, name: FileName(bytes: []), note: note)]
        var stack = [0]
        var opened = OpenAncestors(root: 0, root)
        let buffer = DirectoryListing.Buffer()
        var directoriesRead: Int64 = 0
        while let index = stack.popLast() {
            guard !isCancelled() else { throw KernelError(call: "walk", errno: .canceled) }
            var entryFailure: KernelError?
            do throws(KernelError) {
                let directory = try opened.open(index) {
                    (steps[$0].parent, steps[$0].name)
                } by: { (path, above) throws(KernelError) in
                    try above.openDescendant(path)
                }
                guard try directory.status().identity.device == device else { continue }
                directoriesRead += 1
                let note = steps[index].note
                var listing = try DirectoryListing(of: directory, in: buffer)
                while let entry = try listing.next() {
                    do throws(KernelError) {
                        guard let below = try visit(directory, entry, note) else { continue }
                        steps.append(Step(parent: index, name: entry.name, note: below))
                        stack.append(steps.count - 1)
                    } catch {
                        entryFailure = error
                        throw error
                    }
                }
            } catch {
                // It was removed, or is something else by now.
                guard entryFailure == nil, error.leadsElsewhere else { throw error }
            }
        }
        return directoriesRead
    }
}

extension Directory {
    /// The status of an entry that is on a file system; `nil` where it is gone, a whiteout, or of another file system.
    func countedStatus(of entry: ListedEntry, on device: UInt64) throws(KernelError) -> FileStatus? {
        let status: FileStatus
        do {
            status = try self.status(of: entry)
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
        return status.identity.device == device && !status.isWhiteout ? status : nil
    }
}
