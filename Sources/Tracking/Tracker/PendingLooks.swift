internal import Kernel

/// The places of a layer to look at again: deduplicated, and bounded whatever happens below.
///
/// Too many become the whole layer: a directory that is listed instead would not tell what its names meant before.
struct PendingLooks {
    let bounds: MarkBounds

    /// By directory, then by name.
    private(set) var names: [UInt64: [FileName: Look]] = [:]
    /// Directories to list again, and whether all below them as well.
    private(set) var directories: [UInt64: Bool] = [:]
    /// Directories whose own status changed.
    private(set) var own: Set<UInt64> = []
    /// Everything is to be looked at again.
    private(set) var everything = false
    /// More was marked than fits, so that only a look at everything finds all of it.
    private(set) var hasDroppedNames = false
    /// A directory went: files may be open by names in it.
    private(set) var directoryWent = false
    private var nameCount = 0
    /// The name that was marked last, and where it is among those of its directory.
    private var last: (place: Place, index: Dictionary<FileName, Look>.Index)?
    private var moves: [UInt32: Place] = [:]
    /// By the places to which something was moved, whence.
    ///
    /// An exchange is told as two moves, of which the second seems to take away what the first brought.
    private var arrivals: [Place: Place] = [:]
    private var lastArrival: Place?
    private static let moveLimit = 1_024

    init(bounds: MarkBounds = MarkBounds()) {
        self.bounds = bounds
    }

    /// None yet, after those that a batch took.
    ///
    /// Of the two moves of an exchange it may have read the first alone.
    init(after taken: PendingLooks) {
        bounds = taken.bounds
        if let place = taken.lastArrival { arrivals[place] = taken.arrivals[place] }
    }

    var isEmpty: Bool {
        !everything && !hasDroppedNames && names.isEmpty && directories.isEmpty && own.isEmpty
    }

    mutating func lookAtEverything() {
        everything = true
    }

    /// Starts anew where no bound holds any more.
    private mutating func dropAll() {
        let everything = everything
        self = PendingLooks(bounds: bounds)
        self.everything = everything
        hasDroppedNames = true
    }

    mutating func list(_ directory: UInt64, isDeep: Bool) {
        directories[directory] = isDeep || directories[directory] == true
        if directories.count > bounds.directories { dropAll() }
    }

    mutating func lookAtDirectory(_ directory: UInt64) {
        own.insert(directory)
        if own.count > bounds.names { dropAll() }
    }

    /// Looks at a name without an event.
    mutating func look(at place: Place, watchingAgain: Bool = false) {
        update(place) { if watchingAgain { $0.watchingAgain = true } }
    }

    /// Takes looks again that could not be made.
    mutating func takeBack(_ names: [FileName: Look], in directory: UInt64) {
        for (name, look) in names {
            update(Place(directory: directory, name: name)) { $0.follow(look) }
        }
    }

    /// Takes an event about an entry of a directory.
    mutating func note(_ event: InotifyRecord, in directory: UInt64) {
        let mask = event.mask
        if mask.contains(.isDirectory), !mask.isDisjoint(with: [.delete, .movedTo]) { directoryWent = true }
        if mask.contains(.movedFrom) {
            let place = place(of: event, in: directory)
            if event.cookie != 0 {
                if moves.count >= Self.moveLimit { moves.removeAll(keepingCapacity: true) }
                moves[event.cookie] = place
            }
            update(place) { $0.noteGone() }
        } else if mask.contains(.movedTo) {
            let place = place(of: event, in: directory)
            var carried = false
            if let source = moves.removeValue(forKey: event.cookie), source != place {
                let isExchange = arrivals[source] == place
                update(source) { carried = isExchange ? $0.noteExchanged() : $0.noteMovedAway() }
                noteArrival(at: place, from: source, isExchange: isExchange)
            }
            update(place) {
                $0.noteCame(replacing: true)
                if carried { $0.noteData() }
            }
        } else if mask.contains(.create) {
            update(event, in: directory) { $0.noteCame(replacing: false) }
        } else if mask.contains(.delete) {
            update(event, in: directory) { $0.noteGone() }
        } else if !mask.isDisjoint(with: [.modify, .attributes, .closeWrite]) {
            update(event, in: directory) { $0.noteData() }
        }
    }

    private mutating func noteArrival(at place: Place, from source: Place, isExchange: Bool) {
        arrivals[source] = nil
        guard !isExchange else { return }
        if arrivals.count >= Self.moveLimit { arrivals.removeAll(keepingCapacity: true) }
        arrivals[place] = source
        lastArrival = place
    }

    private func place(of event: InotifyRecord, in directory: UInt64) -> Place {
        Place(directory: directory, name: FileName(bytes: Array(event.name)))
    }

    /// In a burst most events are about the name that had the one before.
    private mutating func update(
        _ event: InotifyRecord, in directory: UInt64, _ change: (inout Look) -> Void
    ) {
        if let last, last.place.directory == directory, last.place.name.hasBytes(event.name) {
            change(&names[directory, default: [:]].values[last.index])
        } else {
            update(place(of: event, in: directory), change)
        }
    }

    private mutating func update(_ place: Place, _ change: (inout Look) -> Void) {
        let count = names[place.directory]?.count ?? 0
        change(&names[place.directory, default: [:]][place.name, default: Look()])
        let marked = names[place.directory] ?? [:]
        last = marked.index(forKey: place.name).map { (place, $0) }
        guard marked.count > count else { return }
        nameCount += 1
        if nameCount > bounds.names { dropAll() }
    }
}
