/// Remembers names that a file had, to know what a later write by such a name means.
///
/// The kernel reports a write under the name by which the file was opened, even when that name has gone or
/// belongs to another file by then.
struct AliasMemory {
    enum Meaning: Equatable {
        /// The write was to this file, which has other names in the layer.
        case file(UInt64)
        /// The write was to a file that has no name any more and costs the layer nothing.
        case nameless
        case unknown
    }

    private static let limit = 4_096

    private var files: [Place: UInt64] = [:]
    private var nameless: Set<Place> = []
    private var unseen: Set<Place> = []
    /// More was to be remembered than fits, so no silence can be trusted.
    private(set) var hasForgotten = false

    /// `place` was a name of a file that has others.
    mutating func remember(_ place: Place, wasNameOf file: UInt64, isAlive: (UInt64) -> Bool) {
        nameless.remove(place)
        if files.count >= Self.limit {
            files = files.filter { isAlive($0.value) }
            if files.count >= Self.limit {
                files.removeAll()
                hasForgotten = true
            }
        }
        files[place] = file
    }

    /// `place` was the only name of a file.
    mutating func rememberNameless(_ place: Place) {
        guard files[place] == nil else { return }
        // Forgetting these only costs a look too many.
        if nameless.count >= Self.limit { nameless.removeAll(keepingCapacity: true) }
        nameless.insert(place)
    }

    /// Inodes had the name that nobody looked at.
    mutating func rememberUnseen(_ place: Place) {
        nameless.remove(place)
        if unseen.count >= Self.limit {
            unseen.removeAll()
            hasForgotten = true
        }
        unseen.insert(place)
    }

    /// What a write by a name that is gone means.
    func meaning(of place: Place) -> Meaning {
        if let file = files[place] { return .file(file) }
        if unseen.contains(place) { return .unknown }
        return nameless.contains(place) ? .nameless : .unknown
    }

    /// What a write by a name that exists may mean besides the obvious.
    func earlierMeaning(of place: Place) -> Meaning {
        if let file = files[place] { return .file(file) }
        return unseen.contains(place) ? .unknown : .nameless
    }

    /// Forgets what a look at everything makes needless to know: from then on silence can be trusted again.
    ///
    /// Open descriptors outlive such a look, so the names themselves are kept.
    mutating func trustAgain() {
        hasForgotten = false
    }
}
