internal import Accounting
package import Kernel

// Marking: an event, a time or a question marks places; nothing is looked at.
extension LayerTracker {
    /// Takes an event of one of this layer's watches.
    package func note(_ event: InotifyEvent) {
        event.withRecord { note($0) }
    }

    /// Takes an event of one of this layer's watches.
    func note(_ event: InotifyRecord) {
        guard let directory = directoryOfWatch[event.watch] else {
            noteWithoutDirectory(event)
            return
        }
        isCheck = false
        noteTime()
        if mount.has(event.watch, of: directory) {
            noteInMount(event, directory)
        } else if event.mask.contains(.ignored) {
            forgetWatch(event.watch)
            if tree?.directory(directory)?.watch == event.watch {
                tree?.setWatch(-1, of: directory)
                markEntry(of: directory)
            }
        } else if !event.name.isEmpty {
            pending.note(event, in: directory)
        } else if !event.mask.isDisjoint(with: [.deleteSelf, .moveSelf, .unmount]) {
            markEntry(of: directory)
        } else {
            pending.lookAtDirectory(directory)
        }
    }

    /// Takes an event of a directory that a look did not find, so that its watch was given back before this was read.
    private func noteWithoutDirectory(_ event: InotifyRecord) {
        // A file that got a name there may be open by it.
        guard !event.mask.contains(.isDirectory), !event.mask.isDisjoint(with: [.create, .movedTo]) else {
            return
        }
        isCheck = false
        noteUnheard(since: queuedSince())
    }

    /// Events were lost: after the next batch, which looks at what is marked all the same, everything is to be looked
    /// at again.
    package func noteOverflow() {
        isCheck = false
        eventsWereLost = true
        noteTime()
    }

    private func noteTime() {
        if notedSince == .max { notedSince = queuedSince() }
    }

    /// Makes the next batch a look at everything, with all watches made sure of: something changed that has no event.
    package func lookAgain() {
        isCheck = false
        pending.lookAtEverything()
    }

    /// Looks again at all files that may change without an event: those written lately, whose blocks may, and those
    /// that have names outside of the layer.
    package func markUnsettled() {
        if settle.hasOverflowed { needsAudit = true }
        for inode in settle.inodes { restats.insert(inode) }
        restats.formUnion(unheard)
        // A write by a name outside of the layer has no event here.
        for file in tree?.linkedOutside.keys ?? [:].keys { restats.insert(file.inode) }
        markHidden()
    }

    /// Files that have names outside of the layer and were found to have changed; whoever holds those names is to
    /// know, for it has no event of it.
    package func takeChangedLinks() -> LinkedFiles? {
        guard let device = tree?.device, let inodes = tree?.takeChangedLinks(), !inodes.isEmpty else {
            return nil
        }
        return LinkedFiles(device: device, inodes: inodes)
    }

    /// Another layer has names of these files and found them changed.
    package func note(_ files: LinkedFiles) {
        guard let tree, tree.device == files.device else { return }
        for inode in files.inodes where tree.hasFile(inode) { restats.insert(inode) }
    }

    package func markSettled(by now: Int64) {
        forgetTold()
        let due = settle.takeDue(at: now)
        restats.formUnion(due)
        if settle.hasOverflowed, due.isEmpty == false {
            settle.clearOverflow()
            needsAudit = true
        }
    }

    /// What a look at everything will take, nanoseconds, by the last one and the size since.
    package var fullLookEstimate: Int64 {
        lastFullLook?.duration(of: inodeCount) ?? 0
    }

    /// How long to do other things after a look at everything, nanoseconds, so that such looks take one part of `share`
    /// of a processor at most.
    package func restAfterFullLook(share: Int64) -> Int64 {
        lastFullLook?.rest(after: inodeCount, share: share) ?? 0
    }

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

    func markEntry(of directory: UInt64, watchingAgain: Bool = false) {
        guard let tree, let record = tree.directory(directory) else { return }
        if directory == tree.root {
            pending.lookAtEverything()
        } else {
            pending.look(
                at: Place(directory: record.parent, name: record.name), watchingAgain: watchingAgain)
        }
    }
}
