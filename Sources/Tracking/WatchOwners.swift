/// Which layer each watch of an inotify instance belongs to; used by one thread.
package final class WatchOwners {
    private var owners: [Int32: Int] = [:]

    package init() {}

    package var count: Int { owners.count }

    package func assign(_ watch: Int32, to layer: Int) {
        owners[watch] = layer
    }

    package func owner(of watch: Int32) -> Int? {
        owners[watch]
    }

    /// Returns whether the watch was the layer's.
    package func release(_ watch: Int32, from layer: Int) -> Bool {
        guard owners[watch] == layer else { return false }
        owners[watch] = nil
        owners.giveBack()
        return true
    }
}
