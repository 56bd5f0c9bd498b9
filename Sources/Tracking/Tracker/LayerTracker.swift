package import Accounting
package import Kernel
internal import SystemPackage

/// Keeps the exact figure of one writable layer from the events of its directories.
///
/// An event is never a change by itself: it marks a place, and a batch looks at the marked places again. Events
/// go in by ``note(_:)``, which only marks; ``runBatch(now:relief:)`` does all the looking. One thread owns it.
package final class LayerTracker<FileSystem: LayerFileSystem> {
    /// Files and directories that are tracked at most: what the layer may cost in memory.
    package var inodeLimit = 500_000
    package var inodeCount: Int { tree?.inodeCount ?? 0 }
    private static var recentLimit: Int { 8 }
    /// For how long files are taken to stay open, nanoseconds.
    private static var uncertainty: Int64 { 600_000_000_000 }
    private static var unheardLimit: Int { 4_096 }

    let fileSystem: FileSystem
    // A copy of it that lives while it is changed would make each change copy the whole: use it in place.
    private var tree: LayerTree?
    /// Open while a batch runs: between batches it would keep the file system from being unmounted.
    private var rootHandle: FileSystem.Handle?
    private var pending = PendingLooks()
    private var aliases = AliasMemory()
    private var settle: SettleQueue
    private var growth = BatchGrowth()
    private var directoryOfWatch: [Int32: UInt64] = [:]

    /// Something may have been written that no place tells of; only a look at everything finds it.
    package private(set) var needsAudit = false
    /// The look at everything is needed because events were lost, by the kernel or because too many places were marked.
    package private(set) var hasLostEvents = false
    /// Why it cannot be told by events; `nil` while it is.
    package private(set) var failure: Failure?
    package private(set) var lastFullLook: (end: Int64, duration: Int64, inodes: Int)?
    package private(set) var counters = TrackerCounters()
    /// By how much the last batch's audit found another figure than the events had told.
    package private(set) var correction: Measure?

    package typealias Failure = TrackingFailure

    private var eventsWereLost = false
    /// Until then a write may be by a name that was another file's while events were lost, and be that one's.
    private var namesAreUncertainUntil: Int64 = 0
    /// Counts the looks at everything.
    private var everyLook: UInt32 = 0
    /// Files that may be written without an event.
    private var unheard: Set<UInt64> = []
    /// Looks of the last batch could not be made and wait for the next.
    private var isIncomplete = false

    // The looks of the batch that runs.
    private var listing: [(directory: UInt64, isDeep: Bool)] = []
    private var detached: Set<UInt64> = []
    private var removed: [(place: Place, inode: UInt64, links: UInt32)] = []
    private var newFiles: [UInt64] = []
    private var deferred: [(directory: UInt64, names: [FileName: Look])] = []
    private var restats: Set<UInt64> = []
    /// Directories that were opened last, the latest at the end.
    private var recent: [(directory: UInt64, handle: FileSystem.Handle)] = []
    private var relief: () -> Void = {}
    private let looksPerRelief: Int
    private var looksSinceRelief = 0
    private var now: Int64 = 0
    /// While everything is looked at: files whose change time is not later have the blocks they will keep.
    private var settledBefore: Int64?
    private var settledBytes: Int64 = 0
    /// The look at everything that is marked checks what the events told.
    private var isCheck = false

    package init(fileSystem: FileSystem, settleSeconds: [Int], looksPerRelief: Int = 256) {
        self.fileSystem = fileSystem
        self.looksPerRelief = looksPerRelief
        settle = SettleQueue(delaysSeconds: settleSeconds)
        pending.lookAtEverything()
    }

    package var measure: LayerMeasure { tree?.measure ?? .empty }
    package var watchCount: Int { directoryOfWatch.count }
    package var hasPending: Bool { !pending.isEmpty || eventsWereLost }
    /// Whether the figure holds all that is known to have happened.
    package var isSettled: Bool { !hasPending && !needsAudit && failure == nil && tree != nil }
    /// Whether the figure holds all that was marked before the last batch.
    package var isAnswered: Bool {
        !needsAudit && !isIncomplete && restats.isEmpty && failure == nil && tree != nil
    }
    package var nextSettle: Int64? { settle.nextDue }

    // MARK: Marking

    /// Takes an event of one of this layer's watches.
    package func note(_ event: InotifyEvent) {
        guard let directory = directoryOfWatch[event.watch] else { return }
        isCheck = false
        if event.mask.contains(.ignored) {
            directoryOfWatch[event.watch] = nil
            if tree?.directories[directory]?.watch == event.watch {
                tree?.setWatch(-1, of: directory)
                markEntry(of: directory)
            }
        } else if let name = event.name {
            pending.note(event, in: directory, name: name)
        } else if !event.mask.isDisjoint(with: [.deleteSelf, .moveSelf, .unmount]) {
            markEntry(of: directory)
        } else {
            pending.lookAtDirectory(directory)
        }
    }

    /// Events were lost: after the next batch, which looks at what is marked all the same, everything is to be looked
    /// at again.
    package func noteOverflow() {
        isCheck = false
        eventsWereLost = true
    }

    /// Looks again at all files that may change without an event: those written lately, whose blocks may, and those
    /// that have names outside of the layer.
    package func markUnsettled() {
        if settle.hasOverflowed { needsAudit = true }
        for inode in settle.inodes { restats.insert(inode) }
        restats.formUnion(unheard)
        // A write by a name outside of the layer has no event here.
        for file in tree?.linkedOutside.keys ?? [:].keys { restats.insert(file.inode) }
    }

    package func markSettled(by now: Int64) {
        let due = settle.takeDue(at: now)
        restats.formUnion(due)
        if settle.hasOverflowed, due.isEmpty == false {
            settle.clearOverflow()
            needsAudit = true
        }
    }

    /// What a look at everything will take, nanoseconds, by the last one and the size since.
    package var fullLookEstimate: Int64 {
        guard let last = lastFullLook else { return 0 }
        return Int64(Double(last.duration) * Double(tree?.inodeCount ?? 0) / Double(max(last.inodes, 1)))
    }

    package var hasRestats: Bool { !restats.isEmpty }

    /// Makes the next batch a look at everything.
    package func audit() {
        pending.lookAtEverything()
        if !hasLostEvents { counters.audits += 1 }
    }

    /// Makes the next batch a look at everything that no event gave cause for.
    ///
    /// Such a look checks whether the events told the truth: what it changes is in ``correction``. Where changes are
    /// known that nobody has looked at, the difference could be theirs, so it is an audit like any other.
    package func auditUnasked() {
        isCheck = isSettled && !settle.hasOverflowed
        audit()
    }

    private func markEntry(of directory: UInt64) {
        guard let tree, let record = tree.directories[directory] else { return }
        if directory == tree.root {
            pending.lookAtEverything()
        } else {
            pending.look(at: Place(directory: record.parent, name: record.name))
        }
    }

    // MARK: Looking

    /// Looks at every marked place.
    ///
    /// It calls `relief` every few hundred looks, so that the kernel's queue can be emptied meanwhile. What is
    /// marked while it runs is left for the next batch.
    ///
    /// Returns the paths that changed most.
    package func runBatch(now: Int64, relief: @escaping () -> Void) -> [PathGrowth] {
        self.now = now
        if eventsWereLost || pending.hasDroppedNames {
            namesAreUncertainUntil = now.addingClamped(Self.uncertainty)
            aliases.forgetNameless()
            needsAudit = true
            hasLostEvents = true
        }
        eventsWereLost = false
        let wereEventsLost = hasLostEvents
        self.relief = relief
        defer {
            self.relief = {}
            recent = []
            rootHandle = nil
        }
        growth = BatchGrowth()
        // What the first look finds was there before.
        let isFirst = tree == nil
        isIncomplete = false
        let looks = pending
        pending = PendingLooks()
        let isCheck = isCheck
        self.isCheck = false
        correction = nil
        // Files whose blocks may change without an event are known to be open, so they are looked at before.
        if isCheck { restats.formUnion(settle.inodes) }
        let changedFiles = restats
        restats = []
        do throws(Failure) {
            if isCheck, openKnownRoot() {
                try restat(changedFiles)
                try finish()
                let told = measure.total
                try lookAtEverything()
                try finish()
                relief()
                noteCorrection(from: told)
            } else if looks.everything || tree == nil || failure != nil || !openKnownRoot() {
                try lookAtEverything()
                rememberUnseen(looks)
            } else {
                try look(at: looks)
            }
            try restat(changedFiles)
            try finish()
            // A file that came while a directory went may be open by a name in that.
            if looks.directoryWent || wereEventsLost && !isFirst { noteUnheard(newFiles) }
            newFiles = []
            failure = nil
        } catch {
            fail(error)
        }
        counters.batches += 1
        return isFirst ? [] : growth.top { [tree] in tree?.path(of: $0) }
    }

    /// Opens the layer's directory; returns whether it is the one that is known.
    private func openKnownRoot() -> Bool {
        guard let handle = try? fileSystem.openRoot(), let status = try? fileSystem.status(of: handle),
            status.identity.inode == tree?.root, status.identity.device == tree?.device
        else { return false }
        rootHandle = handle
        return true
    }

    /// A look at everything sees what was written before, by whatever name, but not what names may mean later.
    private func rememberUnseen(_ looks: PendingLooks) {
        for (directory, names) in looks.names {
            for (name, look) in names where look.passedUnseen {
                aliases.rememberUnseen(Place(directory: directory, name: name))
            }
        }
    }

    private func noteCorrection(from told: Measure) {
        let difference = measure.total - told
        guard pending.isEmpty, difference != .zero else { return }
        correction = difference
        counters.corrections += 1
    }

    private func fail(_ reason: Failure) {
        failure = reason
        release()
    }

    /// Gives all watches back and forgets everything that was seen.
    package func release() {
        for watch in directoryOfWatch.keys { fileSystem.unwatch(watch) }
        directoryOfWatch = [:]
        tree = nil
        rootHandle = nil
        listing = []
        detached = []
        removed = []
        deferred = []
        newFiles = []
        restats = []
        pending.lookAtEverything()
    }

    private func lookAtEverything() throws(Failure) {
        let started = monotonicNanoseconds()
        counters.fullLooks += 1
        everyLook &+= 1
        let handle: FileSystem.Handle
        do { handle = try fileSystem.openRoot() } catch { throw .unreadable(error) }
        let watch = try addWatch(handle)
        let status: FileStatus
        do { status = try fileSystem.status(of: handle) } catch { throw .unreadable(error) }
        let inode = status.identity.inode
        if tree?.root == inode, tree?.device == status.identity.device,
            tree?.directories[inode]?.watch == watch
        {
            _ = tree?.setDirectory(inode, allocated: status.allocated)
        } else {
            let stale = directoryOfWatch.keys.filter { $0 != watch }
            for old in stale { fileSystem.unwatch(old) }
            directoryOfWatch = [watch: status.identity.inode]
            tree = LayerTree(root: status, watch: watch)
            settledBytes = fileSystem.settledBytes(of: handle)
        }
        rootHandle = handle
        if hasLostEvents { aliases.forgetNameless() }
        hasLostEvents = false
        needsAudit = false
        aliases.trustAgain()
        settle.clearOverflow()
        settledBefore = realtimeNanoseconds().subtractingClamped(settle.delays.last ?? 0)
        defer { settledBefore = nil }
        listing.append((status.identity.inode, true))
        try drainListing()
        let ended = monotonicNanoseconds()
        lastFullLook = (ended, ended - started, tree?.inodeCount ?? 0)
    }

    private func look(at looks: PendingLooks) throws(Failure) {
        for (directory, isDeep) in looks.directories { listing.append((directory, isDeep)) }
        for (directory, names) in looks.names { try check(names, in: directory, isLastTry: false) }
        try drainListing()
        for directory in looks.own where looks.names[directory] == nil {
            try withDirectory(directory) { (_) throws(Failure) in }
        }
        let again = deferred
        deferred = []
        for (directory, names) in again { try check(names, in: directory, isLastTry: true) }
        try drainListing()
    }

    private func drainListing() throws(Failure) {
        while let (directory, isDeep) = listing.popLast() { try list(directory, isDeep: isDeep) }
    }

    /// Runs `body` with a directory, open and known to be the one that is meant; returns whether it was.
    @discardableResult
    private func withDirectory(
        _ directory: UInt64, _ body: (FileSystem.Handle) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        guard let rootHandle, tree?.directories[directory] != nil else { return false }
        let handle: FileSystem.Handle
        let status: FileStatus
        do {
            handle = try open(directory, below: rootHandle)
            status = try fileSystem.status(of: handle)
        } catch {
            guard error.leadsElsewhere else { throw .unreadable(error) }
            return false
        }
        guard status.identity.inode == directory, status.links > 0 || directory != tree?.root else {
            return false
        }
        recent.append((directory, handle))
        if recent.count > Self.recentLimit { recent.removeFirst() }
        try body(handle)
        // Names that come and go change the directory itself; it is looked at last, with all of them in it.
        if let status = try? fileSystem.status(of: handle) {
            let change = tree?.setDirectory(directory, allocated: status.allocated) ?? 0
            if change != 0, let record = tree?.directories[directory] {
                growth.note(
                    Place(directory: record.parent, name: record.name), change,
                    isRoot: directory == tree?.root)
            }
        }
        return true
    }

    /// Opens a directory from the nearest one above it that is still open, so that a tree of any depth is walked in a
    /// time that its size alone decides.
    private func open(
        _ directory: UInt64, below root: FileSystem.Handle
    ) throws(KernelError) -> FileSystem.Handle {
        var names: [FileName] = []
        var current = directory
        while current != tree?.root {
            if current != directory, let index = recent.lastIndex(where: { $0.directory == current }) {
                let above = recent.remove(at: index)
                recent.append(above)
                return try fileSystem.open(names.reversed(), below: above.handle)
            }
            guard let record = tree?.directories[current], tree?.isAttached(current) == true,
                names.count <= tree?.directories.count ?? 0
            else {
                throw KernelError(call: "openat2", errno: .noSuchFileOrDirectory)
            }
            names.append(record.name)
            current = record.parent
        }
        return names.isEmpty ? root : try fileSystem.open(names.reversed(), below: root)
    }

    private func check(
        _ names: [FileName: Look], in directory: UInt64, isLastTry: Bool
    ) throws(Failure) {
        guard tree?.directories[directory] != nil else {
            // It went, but what was written by its names may have gone to files that have others.
            for (name, look) in names {
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

    private func list(_ directory: UInt64, isDeep: Bool) throws(Failure) {
        guard tree?.directories[directory] != nil else { return }
        counters.directoriesRead += 1
        let isNew = tree?.directories[directory]?.watch == -1
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
            var missing = tree?.directories[directory]?.children ?? [:]
            for name in found {
                missing[name] = nil
                try check(Place(directory: directory, name: name), Look(), in: handle)
            }
            // A rename meanwhile can hide a name from the listing.
            for name in missing.keys {
                try check(Place(directory: directory, name: name), Look(), in: handle)
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
        guard isDeep, let children = tree?.directories[directory]?.children.values else { return }
        // Those found new are among its children.
        listing.removeSubrange(waiting...)
        for child in children where tree?.directories[child] != nil {
            listing.append((child, true))
        }
    }

    private func check(_ place: Place, _ look: Look, in handle: FileSystem.Handle) throws(Failure) {
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
        // A mount of another file system costs this one nothing; a whiteout is one inode for all and empty.
        if let status = found, status.identity.device != tree?.device || status.isWhiteout { found = nil }

        if let found { forgetEarlierOwner(of: found) }
        // A directory that went meanwhile takes its names along.
        guard tree?.directories[place.directory] != nil else { return }
        let known = tree?.child(at: place)
        if let known, known != found?.identity.inode { removeName(place) }
        interpret(look, at: place, exists: found != nil)
        guard let status = found else { return }
        if status.kind == .directory {
            try setDirectory(status, at: place, handle, isStructural: look.structure || known == nil)
        } else {
            setFile(status, at: place, wasWritten: look.data)
        }
        guard let count = tree?.inodeCount, count <= inodeLimit else {
            throw .untrackable(
                reason:
                    "it has more than the \(inodeLimit) files that there is memory for, and is counted in passes"
            )
        }
    }

    /// Drops what had an inode number before that is another kind of object now: the file system gives numbers of
    /// what was deleted to what is made next.
    private func forgetEarlierOwner(of status: FileStatus) {
        let inode = status.identity.inode
        guard status.identity.device == tree?.device, inode != tree?.root else { return }
        if status.kind == .directory {
            guard let place = tree?.place(ofFile: inode) else { return }
            growth.note(place, tree?.dropFile(inode) ?? 0)
            settle.forget(inode)
        } else if tree?.directories[inode] != nil {
            drop(inode)
            detached.remove(inode)
        }
    }

    /// These files may be open by a name in a directory that went, and what is written by such a name nobody is told:
    /// each barrier looks at them.
    private func noteUnheard(_ inodes: [UInt64]) {
        unheard.formUnion(inodes)
        guard unheard.count > Self.unheardLimit else { return }
        unheard = unheard.filter { tree?.files[$0] != nil }
        // Past the bound an audit finds what barriers do not.
        while unheard.count > Self.unheardLimit { unheard.removeFirst() }
    }

    private func drop(_ directory: UInt64) {
        guard let record = tree?.directories[directory] else { return }
        var gone: [(UInt64, Int32)] = []
        var others: [UInt64] = []
        let change =
            tree?.dropDirectory(directory) {
                gone.append(($0, $1))
            } other: {
                others.append($0)
            } ?? 0
        restats.formUnion(others)
        noteUnheard(others + aliases.files(namedIn: Set(gone.map(\.0))))
        for (directory, watch) in gone where watch >= 0 && directoryOfWatch[watch] == directory {
            directoryOfWatch[watch] = nil
            fileSystem.unwatch(watch)
        }
        growth.note(Place(directory: record.parent, name: record.name), change)
    }

    /// Finds the files that were written by a name which is theirs no more.
    private func interpret(_ look: Look, at place: Place, exists: Bool) {
        if look.passedUnseen {
            aliases.rememberUnseen(place)
            if look.data || look.dataAfterGone { needsAudit = true }
        }
        guard look.data || look.dataAfterGone else { return }
        if aliases.hasForgotten || now < namesAreUncertainUntil { needsAudit = true }
        let isByGoneName = look.dataAfterGone || (!exists && !look.structure)
        let meaning =
            isByGoneName ? meaningOfGone(place) : aliases.earlierMeaning(of: place)
        restats.formUnion(meaning.files)
        if meaning.isUnknown { needsAudit = true }
    }

    private func meaningOfGone(_ place: Place) -> AliasMemory.Meaning {
        // A file made by O_TMPFILE is reported as `#` and its inode number as long as it is open.
        if place.name.bytes.first == UInt8(ascii: "#"),
            let inode = UInt64(String(decoding: place.name.bytes.dropFirst(), as: UTF8.self))
        {
            return AliasMemory.Meaning(files: tree?.files[inode] == nil ? [] : [inode], isUnknown: false)
        }
        return aliases.meaning(of: place)
    }

    private func removeName(_ place: Place) {
        switch tree?.removeName(place) ?? .nothing {
        case .nothing: break
        case .directory(let inode): detached.insert(inode)
        case .file(let inode, let links, let remaining, let change):
            if change != 0 { growth.note(place, change) }
            if remaining > 0 { restats.insert(inode) } else { settle.forget(inode) }
            removed.append((place, inode, links))
        }
    }

    private func setFile(_ status: FileStatus, at place: Place, wasWritten: Bool) {
        if tree?.files[status.identity.inode] == nil { newFiles.append(status.identity.inode) }
        let change = tree?.setFile(status, at: place) ?? 0
        if change != 0 { growth.note(place, change) }
        guard status.kind == .regular, status.allocated > settledBytes else { return }
        // A look at everything finds files that nobody wrote for long; their change time tells.
        let mayStillChange =
            settledBefore.map {
                status.changed > $0 && (change != 0 || !settle.contains(status.identity.inode))
            }
            ?? (change != 0)
        if wasWritten || mayStillChange { settle.noteWrite(of: status.identity.inode, at: now) }
    }

    private func setDirectory(
        _ status: FileStatus, at place: Place, _ parent: FileSystem.Handle, isStructural: Bool
    ) throws(Failure) {
        let inode = status.identity.inode
        if let record = tree?.directories[inode] {
            let isAtPlace = record.parent == place.directory && record.name == place.name
            if !isAtPlace || !(tree?.isAttached(inode) ?? false) {
                tree?.moveDirectory(inode, to: place)
                detached.remove(inode)
            }
            _ = tree?.setDirectory(inode, allocated: status.allocated)
            if record.look != everyLook {
                // It was on its way from place to place while everything was looked at.
                listing.append((inode, true))
            } else if isStructural || record.watch < 0 || !isAtPlace {
                try reconsider(inode, at: place, parent)
            }
            return
        }
        tree?.addDirectory(status, at: place, watch: -1)
        growth.note(place, status.allocated)
        listing.append((inode, false))
    }

    /// Tells the same directory moved from a new one that got the number of one that went: the same inode has the
    /// same watch.
    private func reconsider(
        _ inode: UInt64, at place: Place, _ parent: FileSystem.Handle
    ) throws(Failure) {
        guard let handle = try? fileSystem.open([place.name], below: parent),
            let status = try? fileSystem.status(of: handle), status.identity.inode == inode
        else {
            isIncomplete = true
            pending.look(at: place)
            return
        }
        if try rewatch(inode, handle) { listing.append((inode, true)) }
    }

    /// Makes sure of a directory's watch; returns whether it is another than before.
    @discardableResult
    private func rewatch(_ directory: UInt64, _ handle: FileSystem.Handle) throws(Failure) -> Bool {
        let watch = try addWatch(handle)
        let before = tree?.directories[directory]?.watch
        directoryOfWatch[watch] = directory
        guard before != watch else { return false }
        if let before, before >= 0, directoryOfWatch[before] == directory {
            directoryOfWatch[before] = nil
            fileSystem.unwatch(before)
        }
        tree?.setWatch(watch, of: directory)
        return true
    }

    private func addWatch(_ handle: FileSystem.Handle) throws(Failure) -> Int32 {
        do {
            return try fileSystem.watch(handle)
        } catch {
            switch error.errno {
            case .noSpace, .noMemory:
                throw .untrackable(
                    reason: "inotify watches are used up; raise the sysctl fs.inotify.max_user_watches")
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem:
                throw .untrackable(
                    reason:
                        "\(error); raise the sysctl fs.inotify.max_user_instances or the limit of open files"
                )
            default: throw .unreadable(error)
            }
        }
    }

    private func restat(_ inodes: Set<UInt64>) throws(Failure) {
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

    private func finish() throws(Failure) {
        try drainListing()
        for inode in detached {
            if tree?.isAttached(inode) == false { drop(inode) }
        }
        detached = []
        for (place, inode, links) in removed {
            if tree?.files[inode] != nil {
                aliases.remember(place, wasNameOf: inode) { [tree] in tree?.files[$0] != nil }
            } else if links <= 1 {
                aliases.rememberNameless(place)
            }
        }
        removed = []
        deferred = []
    }
}

/// What a tracker did since it was made.
package struct TrackerCounters: Hashable, Sendable {
    package var directoriesRead: Int64 = 0
    package var looks: Int64 = 0
    package var batches: Int64 = 0
    package var fullLooks: Int64 = 0
    package var audits: Int64 = 0
    package var corrections: Int64 = 0

    mutating func add(_ other: TrackerCounters) {
        directoriesRead += other.directoriesRead
        looks += other.looks
        batches += other.batches
        fullLooks += other.fullLooks
        audits += other.audits
        corrections += other.corrections
    }
}
