package import Kernel

/// An inotify instance of a ``SimulatedDisk``: its watches, and a queue that runs over.
package final class SimulatedInotify {
    /// Events that wait at most; one more is the overflow.
    package var queueLimit = 16_384
    package private(set) var overflows = 0

    /// Which of a directory's watches is this instance's.
    let index: Int
    private unowned let disk: SimulatedDisk
    private var nextWatch: Int32 = 1
    private var watched: [Int32: SimulatedDisk.Node] = [:]
    private var reserved: [ObjectIdentifier: Int32] = [:]
    private var queue: [InotifyEvent] = []
    private var isOverflown = false

    init(_ disk: SimulatedDisk, index: Int) {
        self.disk = disk
        self.index = index
    }

    /// Whether events wait.
    package var hasEvents: Bool { !queue.isEmpty }

    /// Hands over what is queued, or the first `limit` events of it.
    package func drain(limit: Int = .max, _ body: (InotifyEvent) -> Void) {
        let events = queue.prefix(limit)
        queue.removeFirst(events.count)
        isOverflown = isOverflown && queue.contains { $0.mask.contains(.queueOverflow) }
        for event in events { body(event) }
    }

    func watch(_ node: SimulatedDisk.Node) -> Int32 {
        if let watch = node.watches[index] { return watch }
        let watch = reserveWatch(node)
        reserved[ObjectIdentifier(node)] = nil
        node.watches[index] = watch
        watched[watch] = node
        return watch
    }

    /// The number that the directory's watch will have, before there is one.
    func reserveWatch(_ node: SimulatedDisk.Node) -> Int32 {
        if let watch = node.watches[index] ?? reserved[ObjectIdentifier(node)] { return watch }
        let watch = nextWatch
        nextWatch += 1
        reserved[ObjectIdentifier(node)] = watch
        return watch
    }

    func unwatch(_ watch: Int32) {
        guard let node = watched.removeValue(forKey: watch) else { return }
        node.watches[index] = nil
        put(InotifyEvent(watch: watch, mask: .ignored))
    }

    /// The directory is gone, and its watch with it.
    func end(_ node: SimulatedDisk.Node) {
        guard let watch = node.watches[index] else { return }
        put(InotifyEvent(watch: watch, mask: .deleteSelf))
        unwatch(watch)
    }

    /// Tells an event of a directory, or of an entry in it, if the directory is watched.
    func tell(
        _ mask: InotifyEvent.Mask, _ directory: SimulatedDisk.Node, _ name: FileName? = nil,
        cookie: UInt32 = 0
    ) {
        guard let watch = directory.watches[index] else { return }
        put(InotifyEvent(watch: watch, mask: mask, cookie: cookie, name: name))
    }

    private func put(_ event: InotifyEvent) {
        // The kernel joins an event with the last one of the queue where they are the same.
        if let last = queue.last, last == event { return }
        guard queue.count < queueLimit else {
            guard !isOverflown else { return }
            isOverflown = true
            overflows += 1
            if disk.mutation != .noOverflow {
                queue.append(InotifyEvent(watch: -1, mask: .queueOverflow))
            }
            return
        }
        queue.append(event)
    }
}
