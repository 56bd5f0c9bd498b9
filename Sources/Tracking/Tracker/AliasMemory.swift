/// Remembers names that a file had, to know what a later write by such a name means.
///
/// The kernel reports a write under the name by which the file was opened, even when that name has gone or
/// belongs to another file by then.
struct AliasMemory {
    /// What a write by a name may have gone to, besides the file that has the name now.
    struct Meaning: Equatable {
        /// Files that had the name and have others in the layer.
        var files: [UInt64]
        /// Whether there may have been one that nobody looked at.
        var isUnknown: Bool
    }

    private static let limit = 4_096

    /// Files that had one name after another, at most; more are as good as unseen.
    private static let fileLimit = 4

    private var files: [Place: [UInt64]] = [:]
    private var nameless: Set<Place> = []
    /// With the change time that what had the name is not older than.
    private var unseen: [Place: Int64] = [:]
    /// Those of the names in `files` and `unseen`, and some that were: most directories that go had none.
    private var directories: Set<UInt64> = []
    /// More was to be remembered than fits, so no silence can be trusted.
    private(set) var hasForgotten = false

    /// `place` was a name of a file that has others.
    mutating func remember(_ place: Place, wasNameOf file: UInt64, isAlive: (UInt64) -> Bool) {
        nameless.remove(place)
        if files.count >= Self.limit {
            files = files.compactMapValues { inodes in
                let alive = inodes.filter(isAlive)
                return alive.isEmpty ? nil : alive
            }
            if files.count >= Self.limit {
                files.removeAll()
                hasForgotten = true
            }
        }
        var known = (files[place] ?? []).filter { $0 != file && isAlive($0) }
        if known.count >= Self.fileLimit {
            known.removeFirst()
            rememberUnseen(place, since: .min)
        }
        files[place] = known + [file]
        noteDirectory(of: place)
    }

    /// `place` was the only name of a file.
    mutating func rememberNameless(_ place: Place) {
        guard files[place] == nil else { return }
        // Forgetting these only costs a look too many.
        if nameless.count >= Self.limit { nameless.removeAll(keepingCapacity: true) }
        nameless.insert(place)
    }

    /// Inodes had the name that nobody looked at; whichever live on changed since a time.
    mutating func rememberUnseen(_ place: Place, since: Int64) {
        nameless.remove(place)
        if unseen.count >= Self.limit {
            unseen.removeAll()
            hasForgotten = true
        }
        unseen[place] = min(since, unseen[place] ?? .max)
        noteDirectory(of: place)
    }

    private mutating func noteDirectory(of place: Place) {
        if directories.count >= 4 * Self.limit {
            directories = Set(files.keys.map(\.directory)).union(unseen.keys.map(\.directory))
        }
        directories.insert(place.directory)
    }

    /// Events were lost: any name may have been another file's meanwhile, so one that is gone is known no more.
    mutating func forgetNameless() {
        nameless.removeAll(keepingCapacity: true)
    }

    /// What a write by a name that is gone means.
    func meaning(of place: Place) -> Meaning {
        let known = files[place] ?? []
        return Meaning(
            files: known,
            isUnknown: unseen[place] != nil || known.isEmpty && !nameless.contains(place))
    }

    /// What a write by a name that exists may mean besides the obvious.
    func earlierMeaning(of place: Place) -> Meaning {
        Meaning(files: files[place] ?? [], isUnknown: unseen[place] != nil)
    }

    /// Whether it is known of a name that something had it.
    func knows(_ place: Place) -> Bool {
        files[place] != nil || unseen[place] != nil || nameless.contains(place)
    }

    /// Whether inodes may have had names in these directories that they have no more.
    func mayHaveNames(in directories: Set<UInt64>) -> Bool {
        directories.contains(where: self.directories.contains)
    }

    /// Files that had names in these directories.
    func files(namedIn directories: Set<UInt64>) -> [UInt64] {
        files.filter { directories.contains($0.key.directory) }.flatMap(\.value)
    }

    /// Forgets the names in these directories that inodes had which nobody looked at.
    ///
    /// Returns since when such inodes changed, `nil` if there were none.
    mutating func takeUnseen(in directories: Set<UInt64>) -> Int64? {
        var since: Int64?
        unseen = unseen.filter { place, time in
            guard directories.contains(place.directory) else { return true }
            since = min(time, since ?? .max)
            return false
        }
        return since
    }

    /// Forgets what a look at everything makes needless to know: from then on silence can be trusted again.
    ///
    /// Open descriptors outlive such a look, so the names themselves are kept.
    mutating func trustAgain() {
        hasForgotten = false
    }
}
