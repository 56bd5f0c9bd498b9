internal import Kernel

/// Which layer each watch of an inotify instance belongs to; used by one thread.
package final class WatchOwners {
    private var owners: [Int32: Int] = [:]
    /// Watches that were given back, with whose they were, until the kernel tells of their end: what it told before is
    /// read before that.
    private var given: [Int32: Int] = [:]

    package init() {}

    package var count: Int { owners.count }

    package func assign(_ watch: Int32, to layer: Int) {
        owners[watch] = layer
    }

    package func owner(of watch: Int32) -> Int? {
        owners[watch]
    }

    /// The layer that an event of a watch is for, which may have given the watch back since.
    package func addressee(of watch: Int32) -> Int? {
        owners[watch] ?? given[watch]
    }

    /// Takes note that a layer gives a watch back; returns whether it was the layer's.
    package func release(_ watch: Int32, from layer: Int) -> Bool {
        guard owners[watch] == layer else { return false }
        given[watch] = layer
        remove(watch)
        return true
    }

    /// Takes note that the kernel ended a watch, and told so; returns whether the watch was a layer's until then.
    package func end(_ watch: Int32) -> Bool {
        if given.removeValue(forKey: watch) != nil { given.giveBack() }
        guard owners[watch] != nil else { return false }
        remove(watch)
        return true
    }

    /// The kernel may not tell the end of watches that were given back, for events were lost.
    package func forgetGiven() {
        given = [:]
    }

    private func remove(_ watch: Int32) {
        owners[watch] = nil
        owners.giveBack()
    }
}
