internal import Accounting
internal import Kernel
internal import SystemPackage

// Looking at marked places, at directories and at everything.
extension LayerTracker {
    func lookAtEverything() throws(Failure) {
        let started = (time: monotonicNanoseconds(), processor: ThreadClock.now())
        counters.fullLooks += 1
        everyLook &+= 1
        guard let handle = opened?.root else { return }
        let watch = try addWatch(handle)
        let status: FileStatus
        do { status = try fileSystem.status(of: handle) } catch { throw .unreadable(error) }
        let inode = status.identity.inode
        if tree?.root == inode, tree?.device == status.identity.device,
            tree?.directory(inode)?.watch == watch
        {
            _ = tree?.setDirectory(inode, allocated: status.allocated)
        } else {
            let stale = directoryOfWatch.keys.filter { $0 != watch }
            for old in stale { fileSystem.unwatch(old) }
            directoryOfWatch = [watch: status.identity.inode]
            mount = MountWatches()
            tree = LayerTree(root: status, watch: watch, countsRoot: fileSystem.countsRoot)
            // What is known of names and numbers is of another directory.
            aliases = AliasMemory()
            unheard = []
            unheardSince = nil
            ahead.listed.insertAll()
            settledFiles = fileSystem.settledFiles(of: handle)
        }
        if hasLostEvents { aliases.forgetNameless() }
        hasLostEvents = false
        needsAudit = false
        aliases.trustAgain()
        settle.clearOverflow()
        settledBefore = wallClock().subtractingClamped(settle.delays.last ?? 0)
        (unheardSought, unheardSince) = (unheardSince, nil)
        defer { (settledBefore, unheardSought) = (nil, nil) }
        listing.append((status.identity.inode, true))
        try drainListing()
        let ended = monotonicNanoseconds()
        lastFullLook = FullLook(
            end: ended, duration: ended - started.time,
            processor: Int64(clamping: ThreadClock.now() - started.processor),
            inodes: inodeCount)
    }

    func look(at looks: PendingLooks) throws(Failure) {
        for (directory, isDeep) in looks.directories { listing.append((directory, isDeep)) }
        // Those above first, so that one is opened from the other.
        for directory in tree?.sortedByDepth(looks.names.keys) ?? [] {
            try check(looks.names[directory] ?? [:], in: directory, isLastTry: false)
        }
        try drainListing()
        for directory in looks.own where looks.names[directory] == nil {
            try withDirectory(directory) { (_) throws(Failure) in }
        }
        let again = deferred
        deferred = []
        for (directory, names) in again { try check(names, in: directory, isLastTry: true) }
        try drainListing()
    }

    func drainListing() throws(Failure) {
        while let (directory, isDeep) = listing.popLast() { try list(directory, isDeep: isDeep) }
    }

    func check(
        _ names: [FileName: Look], in directory: UInt64, isLastTry: Bool
    ) throws(Failure) {
        guard tree?.hasDirectory(directory) == true else {
            // It went, but what was written by its names may have gone to files that have others.
            for (name, var look) in names {
                look.passedUnseen = look.passedUnseen || look.expectsFile
                interpret(look, at: Place(directory: directory, name: name), exists: false)
            }
            return
        }
        let isThere = try withDirectory(directory) { (handle) throws(Failure) in
            for (name, look) in names {
                try check(Place(directory: directory, name: name), look, in: handle)
            }
        }
        guard !isThere else { return }
        if !isLastTry {
            // It may have been renamed, which another place of this batch tells.
            deferred.append((directory, names))
        } else if directory == tree?.root {
            isIncomplete = true
            pending.lookAtEverything()
        } else {
            // If it hangs loose now it may be found at another place before the batch ends.
            isIncomplete = true
            pending.takeBack(names, in: directory)
            if tree?.isAttached(directory) == true { markEntry(of: directory) }
        }
    }

    func list(_ directory: UInt64, isDeep: Bool) throws(Failure) {
        guard tree?.hasDirectory(directory) == true else { return }
        counters.directoriesRead += 1
        let isNew = tree?.directory(directory)?.watch == -1
        if isNew { ahead.listed.insert(directory) }
        let waiting = listing.count
        let isThere = try withDirectory(directory) { (handle) throws(Failure) in
            // Watch first, then list: what comes after the watch has an event, what came before is listed.
            try rewatch(directory, handle)
            var found: [FileName] = []
            do throws(KernelError) {
                try fileSystem.forEachEntry(in: handle) { found.append($0) }
            } catch {
                // A directory that was removed after it had been opened is empty.
                guard error.leadsElsewhere else { throw .unreadable(error) }
            }
            // A rename meanwhile can hide a name from the listing.
            let missing = tree?.names(in: directory, without: found) ?? []
            for names in [found, missing] {
                for name in names {
                    try check(Place(directory: directory, name: name), Look(), in: handle)
                }
            }
        }
        guard isThere else {
            // It is found at another place, or goes; until then it is not known what is in it.
            isIncomplete = true
            pending.list(directory, isDeep: isDeep)
            if tree?.isAttached(directory) == true { markEntry(of: directory) }
            return
        }
        if isDeep || isNew { tree?.setListed(directory, by: everyLook) }
        guard isDeep, let below = tree?.subdirectories(of: directory) else { return }
        // Those found new are among them.
        listing.removeSubrange(waiting...)
        for child in below { listing.append((child, true)) }
    }

    func check(_ place: Place, _ look: Look, in handle: FileSystem.Handle) throws(Failure) {
        looksSinceRelief += 1
        if looksSinceRelief >= looksPerRelief {
            looksSinceRelief = 0
            relief()
        }
        counters.looks += 1
        var found: FileStatus?
        do {
            found = try fileSystem.status(of: place.name, in: handle)
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw .unreadable(error) }
        }
        let isGone = found == nil
        // A mount of another file system costs this one nothing; a whiteout is one inode for all and empty.
        if let status = found, status.identity.device != tree?.device || status.isWhiteout { found = nil }
        // The layer's own directory, mounted inside itself.
        if let status = found, status.kind == .directory, status.identity.inode == tree?.root { found = nil }

        if let found { forgetEarlierOwner(of: found) }
        // A directory that went meanwhile takes its names along.
        guard tree?.hasDirectory(place.directory) == true else { return }
        let known = tree?.child(at: place)
        if let known, known != found?.identity.inode {
            removeName(place, wasTold: look.structure && !(isGone && look.expectsFile))
        }
        var look = isGone && look.expectsFile ? unseen(look, at: place) : look
        if isFirstUnseen(look, at: place, known: known, found: found?.identity.inode) {
            look.passedUnseen = true
            if aheadLately.written.contains(place) { needsAudit = true }
        }
        noteAhead(look, at: place, exists: !isGone)
        interpret(look, at: place, exists: found != nil)
        guard let status = found else { return }
        if status.kind == .directory {
            let isStructural = look.structure || look.watchingAgain || known == nil
            try setDirectory(status, at: place, handle, isStructural: isStructural)
        } else {
            setFile(status, at: place, wasWritten: look.data)
        }
        guard nameCount <= inodeLimit else {
            throw .untrackable(
                reason:
                    "it has more than the \(inodeLimit) files that there is memory for, and is counted in passes"
            )
        }
    }

    func restat(_ inodes: Set<UInt64>) throws(Failure) {
        restats.formUnion(inodes)
        // Looking at a name can tell of more files; each round has fewer, and what is left waits for a batch.
        for _ in 0..<4 where !restats.isEmpty {
            var byDirectory: [UInt64: [(inode: UInt64, name: FileName)]] = [:]
            for inode in restats {
                guard let place = tree?.place(ofFile: inode) else {
                    unheard.remove(inode)
                    continue
                }
                byDirectory[place.directory, default: []].append((inode, place.name))
            }
            restats = []
            // Those above first, so that one is opened from the other.
            for directory in tree?.sortedByDepth(byDirectory.keys) ?? [] {
                let files = byDirectory[directory] ?? []
                let isThere = try withDirectory(directory) { (handle) throws(Failure) in
                    for file in files {
                        try check(Place(directory: directory, name: file.name), Look(), in: handle)
                    }
                }
                guard !isThere else { continue }
                // Another name may be found when the directory's own place is known again.
                restats.formUnion(files.map(\.inode))
                if directory == tree?.root { pending.lookAtEverything() } else { markEntry(of: directory) }
            }
        }
    }

    func finish() throws(Failure) {
        try drainListing()
        for inode in detached {
            if tree?.isAttached(inode) == false { drop(inode) }
        }
        detached = []
        // It grew to as many as one directory has below it.
        listing = []
        rememberRemoved()
        deferred = []
    }
}
