internal import Accounting
internal import Kernel

// Mounts of layers, and in them, which no event tells.
extension ShardWorker {
    func lookAtMounts(now: Int64, isAsked: Bool) {
        guard isAsked || now >= lastMountLook + Self.rootInterval else { return }
        lastMountLook = now
        let changes = mounts.changes()
        guard !changes.isEmpty else { return }
        for entry in tracked.values
        where changes.contains(where: { $0.path.hasPrefix(entry.directory + "/") }) {
            entry.tracker.lookAgain()
            ready.insert(entry.index)
        }
    }

    func noteMountChange() {
        mounts.noteChange()
        for entry in tracked.values {
            guard let mount = entry.mount else { continue }
            mount.noteDoubt(eventsWereLost: false)
            ready.insert(entry.index)
        }
    }

    /// Sees after what was told of the layer's mount, before anything of the layer is called exact.
    func refreshMount(_ entry: TrackedLayer, at now: Int64, isAsked: Bool) {
        guard let mount = entry.mount,
            mount.isChanged || isAsked && mount.isAwaited || now >= mount.nextRefresh ?? .max
        else { return }
        if mount.refresh(at: now, upper: entry.directory, isAsked: isAsked) { entry.tracker.lookAgain() }
        // What was reported may be called otherwise now, though nothing is to be looked at.
        if !entry.tracker.hasPending, entry.tracker.failure == nil { report(entry, []) }
    }
}
