internal import Accounting
internal import Kernel
internal import SystemPackage

/// What a shard knows of its layers' mounts together; used by its thread.
final class MergedMounts {
    let sight = MountSight()
    private var changes: MountChanges?
    private var haveChanged = false

    /// What to wait for; `nil` while no layer's mount is followed.
    var descriptor: FileDescriptor? { changes?.descriptor }

    /// Makes the mount of a layer.
    func make(_ place: OverlayMount, watches: LayerWatches, pollSeconds: Int) -> MergedMount {
        // Without it a mount is found when it is told by overlayfs's work directory and at each poll.
        if changes == nil { changes = try? MountChanges() }
        return MergedMount(place, watches: watches, sight: sight, pollSeconds: pollSeconds)
    }

    /// Mounts of the namespace changed, as a wait for ``descriptor`` told.
    func noteChange() {
        haveChanged = true
    }

    /// Whether mounts changed since the last call, up to this moment.
    func takeChange() -> Bool {
        if let changes, Poll.wait(for: [], urgent: changes.descriptor, timeoutMilliseconds: 0).last == true {
            haveChanged = true
        }
        defer { haveChanged = false }
        return haveChanged
    }
}
