internal import Kernel

/// What is mounted inside of layers, of which no event tells; used by one thread.
final class LayerMounts {
    private var haveChanged = false
    private var known: Set<MountTable.Mount>

    init() {
        known = Self.read()
    }

    /// Mounts of the namespace changed.
    func noteChange() {
        haveChanged = true
    }

    /// The mounts that came and went since the last call.
    func changes() -> [MountTable.Mount] {
        guard haveChanged else { return [] }
        haveChanged = false
        let now = Self.read()
        defer { known = now }
        return Array(now.symmetricDifference(known))
    }

    private static func read() -> Set<MountTable.Mount> {
        Set((try? MountTable.current())?.mounts ?? [])
    }
}
