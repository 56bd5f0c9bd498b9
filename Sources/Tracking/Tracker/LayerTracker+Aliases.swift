internal import Accounting
internal import Kernel

// Files that are written by names which are theirs no more.
extension LayerTracker {
    /// These files may be open by a name in a directory that went, and what is written by such a name nobody is told:
    /// each barrier looks at them.
    func noteUnheard(_ inodes: [UInt64]) {
        unheard.formUnion(inodes)
        guard unheard.count > Self.unheardLimit else { return }
        unheard = unheard.filter { tree?.hasFile($0) == true }
        // Past the bound an audit finds what barriers do not.
        while unheard.count > Self.unheardLimit { unheard.removeFirst() }
    }

    /// A file that changed since then may be open by a name that nobody knows, in a directory that went: a look at
    /// everything finds which files these may be.
    func noteUnheard(since: Int64) {
        guard tree != nil else { return }
        unheardSince = min(since, unheardSince ?? .max)
        needsAudit = true
    }

    /// What is written by names in these directories has no event any more.
    func noteNamesLost(in directories: Set<UInt64>) {
        guard aliases.mayHaveNames(in: directories) else { return }
        noteUnheard(aliases.files(namedIn: directories))
        if let since = aliases.takeUnseen(in: directories) { noteUnheard(since: since) }
    }

    /// A file had this name, and has others.
    func rememberName(_ place: Place, of inode: UInt64) {
        aliases.remember(place, wasNameOf: inode) { [tree] in tree?.hasFile($0) == true }
    }

    /// Ends the looks of a batch: names that files lost may be those they are open by.
    func rememberRemoved() {
        var isLost: Set<UInt64> = []
        for name in removed where !name.wasTold { isLost.insert(name.inode) }
        for (place, inode, links, _) in removed {
            if tree?.hasFile(inode) == true {
                rememberName(place, of: inode)
            } else {
                if links <= 1 { aliases.rememberNameless(place) }
                if isLost.contains(inode) { ahead.lost[inode, default: []].append(place) }
            }
        }
        removed = []
    }

    /// Inodes had this name that nobody looked at.
    private func rememberUnseen(_ place: Place) {
        if tree?.hasDirectory(place.directory) == true {
            aliases.rememberUnseen(place, since: happenedSince)
        } else {
            noteUnheard(since: happenedSince)
        }
    }

    /// A look at everything sees what was written before, by whatever name, but not what names may mean later.
    func rememberUnseen(_ looks: PendingLooks) {
        let marked = removed.lazy.filter { looks.names[$0.place.directory] != nil }
        let removed = Dictionary(marked.map { ($0.place, $0.inode) }) { first, _ in first }
        for (directory, names) in looks.names {
            for (name, look) in names {
                let place = Place(directory: directory, name: name)
                let found = tree?.child(at: place)
                let isUnseen =
                    look.passedUnseen || look.expectsFile && found == nil
                    || isFirstUnseen(look, at: place, known: removed[place] ?? found, found: found)
                if isUnseen { rememberUnseen(place) }
                noteAhead(look, at: place, exists: found != nil)
            }
        }
    }

    /// Whether the first word of a name was of an inode that nobody looked at.
    ///
    /// Such are those that had a name when its directory was first watched, and no more when that was listed; and where
    /// something came before, and a look found what comes by these events, what came first.
    func isFirstUnseen(_ look: Look, at place: Place, known: UInt64?, found: UInt64?) -> Bool {
        guard look.wentFirst else { return false }
        let isListedLately = aheadLately.listed.contains(place.directory)
        guard known != nil else { return isListedLately && look.first == .left && !aliases.knows(place) }
        return (known == found || look.movedOn) && (isListedLately || aheadLately.came.contains(place))
    }

    /// Keeps what the next events of a name may tell more of.
    func noteAhead(_ look: Look, at place: Place, exists: Bool) {
        if exists, look.expectsFile { ahead.came.insert(place) }
        guard look.wasWritten else { return }
        if look.expectsFile || aheadLately.came.contains(place)
            || aheadLately.listed.contains(place.directory)
        {
            ahead.written.insert(place)
        }
    }

    /// Whether all events have been read that there were when ``aheadLately`` was last added to.
    var isLatelyTold: Bool { queueReads().emptied > latelyAtRead }

    /// Gives back what only events could make needful that have been read, and told nothing of this layer.
    func forgetTold() {
        guard !aheadLately.isEmpty, !hasPending, isLatelyTold else { return }
        aheadLately = LookedAhead()
    }

    /// Ends a batch: what its looks found ahead of the events is kept until all have been read that there were at its
    /// looks.
    func noteLately(isTold: Bool) {
        if isTold { aheadLately = LookedAhead() }
        if !ahead.isEmpty {
            aheadLately.formUnion(ahead)
            ahead = LookedAhead()
            latelyAtRead = queueReads().begun
        }
        guard aheadLately.count > pending.bounds.names else { return }
        aheadLately = LookedAhead()
        eventsWereLost = true
        notedSince = min(notedSince, happenedSince)
    }

    /// What a look means at whose place there is nothing, though the last word was that something came.
    ///
    /// It went since, and whether to a name that is looked at, its next event tells; without one nobody saw it.
    func unseen(_ look: Look, at place: Place) -> Look {
        var look = look
        if look.awaitsLeaving {
            look.passedUnseen = true
        } else {
            look.awaitsLeaving = true
            pending.takeBack([place.name: look], in: place.directory)
            isIncomplete = true
        }
        return look
    }

    /// Finds the files that were written by a name which is theirs no more.
    func interpret(_ look: Look, at place: Place, exists: Bool) {
        if look.passedUnseen {
            rememberUnseen(place)
            if look.data || look.dataAfterGone { needsAudit = true }
        }
        guard look.wasWritten else { return }
        if aliases.hasForgotten || now < namesAreUncertainUntil { needsAudit = true }
        let isByGoneName = look.dataAfterGone || (!exists && !look.structure)
        let meaning =
            isByGoneName ? meaningOfGone(place) : aliases.earlierMeaning(of: place)
        restats.formUnion(meaning.files)
        if meaning.isUnknown { needsAudit = true }
    }

    func meaningOfGone(_ place: Place) -> AliasMemory.Meaning {
        // A file made by O_TMPFILE is reported as `#` and its inode number as long as it is open.
        if place.name.bytes.first == UInt8(ascii: "#"),
            let inode = UInt64(String(decoding: place.name.bytes.dropFirst(), as: UTF8.self))
        {
            return AliasMemory.Meaning(files: tree?.hasFile(inode) == true ? [inode] : [], isUnknown: false)
        }
        return aliases.meaning(of: place)
    }
}
