/// What events said about one name since it was last looked at.
struct Look: Hashable {
    /// Its data or attributes changed.
    var data = false
    /// It came or went.
    var structure = false
    /// The last word is that it went.
    var isGone = false
    /// It was changed after it had gone: by a descriptor of a file that no longer has this name.
    var dataAfterGone = false
    /// It was changed before what had the name went to another name in this layer: maybe by a descriptor of a file that
    /// had the name before that.
    private(set) var dataBeforeMove = false
    /// An inode had the name that went again before anyone looked, so whatever was written by that name may have
    /// gone to a file that is known by another.
    var passedUnseen: Bool {
        get { earlierPassed || lastPassed }
        set { earlierPassed = newValue }
    }
    private var earlierPassed = false
    /// What came last went, and not to another name in this layer.
    private var lastPassed = false
    /// If it is a directory, its watches are to be made sure of.
    var watchingAgain = false
    /// What came was not found, and by which name it left is still to be told: the next events of this name tell it.
    var awaitsLeaving = false
    private var came = false
    /// What the first word since the last look was of what had the name before it.
    private(set) var first: First?

    enum First: Hashable {
        case notThere, left, replaced
        /// It went to another name in this layer.
        case movedAway
    }

    /// What had the name first went, or was replaced, and not to another name in this layer.
    var wentFirst: Bool { first == .left || first == .replaced }
    /// What came went on to another name in this layer.
    private(set) var movedOn = false

    /// Whether something was written by the name.
    var wasWritten: Bool { data || dataAfterGone || dataBeforeMove }
    /// The last word is that something came.
    var expectsFile: Bool { came && !isGone }

    mutating func noteData() {
        if isGone { dataAfterGone = true } else { data = true }
    }

    /// Something came, which may replace what has the name.
    mutating func noteCame(replacing: Bool) {
        if came { passedUnseen = true }
        if !structure { first = replacing ? .replaced : .notThere }
        came = true
        structure = true
        isGone = false
    }

    mutating func noteGone() {
        if came { lastPassed = true }
        if !structure { first = .left }
        structure = true
        isGone = true
    }

    /// The file went to another name in this layer, which will be looked at: what was written before is seen there.
    mutating func noteMovedAway() -> Bool {
        let carried = data
        if came { (lastPassed, movedOn) = (false, true) } else { first = .movedAway }
        came = false
        dataBeforeMove = dataBeforeMove || data
        data = false
        structure = true
        isGone = true
        return carried
    }

    /// Something went to where what came last had come from, after that.
    ///
    /// It went back, or was exchanged for what had the name before it. Only a look can tell, so something is expected
    /// here.
    mutating func noteExchanged() -> Bool {
        lastPassed = false
        came = true
        isGone = false
        return data
    }

    /// Adds what was said of the name before, for a look that could not be made.
    mutating func follow(_ earlier: Look) {
        if structure {
            // What came then went by the first word that followed.
            passedUnseen = passedUnseen || earlier.passedUnseen || earlier.expectsFile && wentFirst
        } else {
            (came, isGone, awaitsLeaving) = (earlier.came, earlier.isGone, earlier.awaitsLeaving)
            (earlierPassed, lastPassed) = (earlier.earlierPassed, earlier.lastPassed)
            if isGone, data { (data, dataAfterGone) = (false, true) }
        }
        if !earlier.awaitsLeaving {
            first = earlier.first ?? first
            movedOn = movedOn || earlier.movedOn
        }
        data = data || earlier.data
        structure = structure || earlier.structure
        dataAfterGone = dataAfterGone || earlier.dataAfterGone
        dataBeforeMove = dataBeforeMove || earlier.dataBeforeMove
        watchingAgain = watchingAgain || earlier.watchingAgain
    }
}
