/// What looks found that is ahead of the events: what happened just before a look is told by events not read yet.
struct LookedAhead {
    /// Names of what came by the events that were read: what was found there may have come after that.
    var came: Set<Place> = []
    /// Such names, and those in ``listed``, by which something was written: maybe not to what was found there.
    var written: Set<Place> = []
    /// Files that were found no more before an event told that they went, with the names they had.
    ///
    /// They may have others by then.
    var lost: [UInt64: [Place]] = [:]
    /// Directories that were listed for the first time.
    ///
    /// Between watch and listing names may have gone, or become another file's.
    var listed = ListedDirectories()

    var isEmpty: Bool { came.isEmpty && written.isEmpty && lost.isEmpty && listed.isEmpty }

    /// As many names as none of its parts has more of.
    var count: Int { max(came.count, written.count, lost.count) }

    mutating func formUnion(_ others: LookedAhead) {
        came.formUnion(others.came)
        written.formUnion(others.written)
        lost.merge(others.lost) { $0 + $1 }
        listed.formUnion(others.listed)
    }
}
