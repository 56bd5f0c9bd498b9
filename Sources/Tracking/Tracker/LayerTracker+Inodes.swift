internal import Accounting
internal import Kernel

// What a look found becomes part of the tree.
extension LayerTracker {
    /// Drops what had an inode number before that is another kind of object now: the file system gives numbers of
    /// what was deleted to what is made next.
    func forgetEarlierOwner(of status: FileStatus) {
        let inode = status.identity.inode
        guard status.identity.device == tree?.device, inode != tree?.root else { return }
        if status.kind == .directory {
            guard let place = tree?.place(ofFile: inode) else { return }
            growth.note(place, tree?.dropFile(inode) ?? 0)
            settle.forget(inode)
        } else if tree?.hasDirectory(inode) == true {
            drop(inode)
            detached.remove(inode)
        }
    }

    func drop(_ directory: UInt64) {
        guard let record = tree?.directory(directory) else { return }
        var gone: [(UInt64, Int32)] = []
        var others: [UInt64] = []
        let change =
            tree?.dropDirectory(directory) {
                gone.append(($0, $1))
            } other: {
                others.append($0)
            } ?? 0
        restats.formUnion(others)
        noteUnheard(others)
        noteNamesLost(in: Set(gone.map(\.0)))
        for (directory, watch) in gone {
            unwatch(watch, of: directory)
            unwatchInMount(directory)
        }
        growth.note(Place(directory: record.parent, name: record.name), change)
    }

    /// Takes a name away, whose going an event told or not.
    func removeName(_ place: Place, wasTold: Bool) {
        switch tree?.removeName(place) ?? .nothing {
        case .nothing: break
        case .directory(let inode): detached.insert(inode)
        case .file(let inode, let links, let remaining, let change):
            if change != 0 { growth.note(place, change) }
            if remaining > 0 {
                restats.insert(inode)
            } else {
                settle.forget(inode)
                if links > 1 { removedLinked.insert(inode) }
            }
            removed.append((place, inode, links, wasTold))
        }
    }

    func setFile(_ status: FileStatus, at place: Place, wasWritten: Bool) {
        let inode = status.identity.inode
        let isNew = tree?.hasFile(inode) == false
        if isNew { newFiles.append(inode) }
        if let unheardSought, status.changed >= unheardSought, unheard.count < Self.unheardLimit {
            unheard.insert(inode)
        }
        let wasLinked = tree?.isLinkedOutside(inode) == true
        let change = tree?.setFile(status, at: place) ?? 0
        let isLinked = tree?.isLinkedOutside(inode) == true
        if isNew, let names = aheadLately.lost.removeValue(forKey: inode) {
            for name in names { rememberName(name, of: inode) }
        }
        if isLinked {
            if !wasLinked { foundLinked.insert(inode) }
        } else if wasLinked && !foundLinked.contains(inode) || removedLinked.contains(inode) {
            // It may still be open by the name that it had elsewhere.
            noteUnheard([inode])
        }
        if change != 0 { growth.note(place, change) }
        guard status.kind == .regular, !settledFiles.contains(status) else { return }
        // A look at everything finds files that nobody wrote for long; their change time tells.
        let mayStillChange =
            settledBefore.map {
                status.changed > $0 && (change != 0 || !settle.contains(inode))
            }
            ?? (change != 0)
        if wasWritten || mayStillChange { settle.noteWrite(of: inode, at: now) }
    }

    func setDirectory(
        _ status: FileStatus, at place: Place, _ parent: FileSystem.Handle, isStructural: Bool
    ) throws(Failure) {
        let inode = status.identity.inode
        if let record = tree?.directory(inode) {
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
}
