/// What is due when: one time for each key.
package struct Agenda<Key: Hashable & Sendable>: Sendable {
    private struct Entry {
        var time: Int64
        var key: Key
    }

    private var times: [Key: Int64] = [:]
    /// A heap, the earliest first; entries whose time is not that of ``times`` any more are skipped when they come up.
    private var heap: [Entry] = []

    package init() {}

    /// The earliest time of all.
    package private(set) var next: Int64?

    package var keys: Dictionary<Key, Int64>.Keys { times.keys }

    /// Has a key due at a time, or sooner if it is already.
    package mutating func call(_ key: Key, at time: Int64) {
        if let known = times[key], known <= time { return }
        times[key] = time
        push(Entry(time: time, key: key))
        next = min(next ?? .max, time)
    }

    package mutating func cancel(_ key: Key) {
        guard times.removeValue(forKey: key) != nil else { return }
        prune()
    }

    /// Takes out what is due at a time.
    package mutating func takeDue(at time: Int64) -> [Key] {
        var due: [Key] = []
        while let next, next <= time, let key = heap.first?.key {
            times[key] = nil
            due.append(key)
            prune()
        }
        return due
    }

    /// Drops what is not in force from the front.
    private mutating func prune() {
        while let first = heap.first, times[first.key] != first.time { pop() }
        // Times that were replaced before they came up must not gather.
        if heap.count > 2 * times.count + 64 {
            heap = times.map { Entry(time: $0.value, key: $0.key) }.sorted { $0.time < $1.time }
        }
        next = heap.first?.time
    }

    private mutating func push(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[child].time < heap[(child - 1) / 2].time {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = 2 * parent + 1
            guard least < heap.count else { return }
            if least + 1 < heap.count, heap[least + 1].time < heap[least].time { least += 1 }
            guard heap[least].time < heap[parent].time else { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}
