internal import Kernel

/// What is mounted inside of layers, of which no event tells; used by one thread.
final class LayerMounts {
    private let watch = MountWatch()
    private var known: Set<MountTable.Mount>

    init() {
        known = Self.read()
    }

    /// The mounts that came and went since the last call.
    func changes() -> [MountTable.Mount] {
        guard watch.hasChanged() else { return [] }
        let now = Self.read()
        defer { known = now }
        return Array(now.symmetricDifference(known))
    }

    private static func read() -> Set<MountTable.Mount> {
        Set((try? MountTable.current())?.mounts ?? [])
    }
}
