internal import Glibc
package import Kernel

/// A disk in memory with the kernel's rules for names, inodes and inotify events, as far as the events of a file
/// tree depend on them.
///
/// What it does was measured on Linux: which call queues which event, that a write is reported under the name by
/// which the file was opened, also when that name is gone; that a watch belongs to an inode; that a queue which is
/// full ends with one overflow; that numbers of deleted inodes are given out again.
package final class SimulatedDisk {
    package final class Node {
        package let number: UInt64
        package let kind: FileStatus.Kind
        package internal(set) var size: Int64 = 0
        package internal(set) var allocated: Int64 = 0
        package internal(set) var links: UInt32 = 0
        package internal(set) var children: [FileName: Entry] = [:]
        /// When it last changed, nanoseconds of the wall clock.
        var changed: Int64 = 0
        /// A directory's watch in each instance.
        var watches: [Int32?]
        /// The directory that a directory lies in.
        var parent: Node?
        /// The directories that a file has names in, each as often as it has.
        var parents: [Node] = []
        var openCount = 0
        /// Blocks that writeback will add without an event.
        var delayed: Int64 = 0
        var mostChildren = 0
        /// Files that were opened here without a name.
        ///
        /// What is written to one by then linked elsewhere would be told
        /// nobody once the directory is gone: only an audit finds that, so it is left out.
        var namelessCount = 0
        /// Made without a name: only such a file can get its first one.
        var isLinkable = false

        init(number: UInt64, kind: FileStatus.Kind, instances: Int) {
            self.number = number
            self.kind = kind
            watches = kind == .directory ? [Int32?](repeating: nil, count: instances) : []
        }
    }

    /// A name as the kernel keeps it: it goes with the file when that is renamed, and outlives its removal as long
    /// as the file is open.
    package final class Entry {
        package internal(set) var parent: Node
        package internal(set) var name: FileName
        package let node: Node

        init(_ parent: Node, _ name: FileName, _ node: Node) {
            self.parent = parent
            self.name = name
            self.node = node
        }
    }

    /// A file that is open for writing.
    package final class Opened {
        let entry: Entry
        /// Stored into by way of memory, which nobody was told.
        var isMapped = false

        init(_ entry: Entry) {
            self.entry = entry
        }
    }

    /// What is left out on purpose, to prove that the tracker depends on it.
    package enum Mutation: String, CaseIterable, Sendable {
        /// The queue runs over and nobody is told.
        case noOverflow
        /// A directory tells of changes only after it was listed.
        case listBeforeWatch
        /// Changes of attributes are not told.
        case noAttributes
        /// Writes by names that are gone are not told (`IN_EXCL_UNLINK`).
        case noGoneNames
        /// Writes by a name that is another file's by now are told as that file's name never was this one's.
        case noAliases
    }

    /// The directories of the layers.
    package let roots: [Node]
    /// A directory of the same disk that is no layer's: files come from there and go there.
    package let outside: Node
    package private(set) var instances: [SimulatedInotify] = []
    package var mutation: Mutation?

    /// A file that takes more gets one block more at writeback.
    static let settledBytes: Int64 = 16_384

    private var freeNumbers: [UInt64] = []
    private var nextNumber: UInt64
    var nextCookie: UInt32 = 1
    /// The wall clock, nanoseconds; the tracker takes files that were written long ago for settled.
    package private(set) var clock: Int64 = 1_800_000_000_000_000_000
    private var delayed: [Node] = []

    package init(layers: Int = 1, instances: Int = 1) {
        let tops = (0...layers).map {
            Node(number: 2 + UInt64($0), kind: .directory, instances: instances)
        }
        outside = tops[0]
        roots = Array(tops.dropFirst())
        nextNumber = 3 + UInt64(layers)
        for node in tops {
            node.links = 2
            node.allocated = 4096
        }
        self.instances = (0..<instances).map { SimulatedInotify(self, index: $0) }
    }

    deinit {
        // A directory and its entries hold each other.
        var stack = roots + [outside]
        while let node = stack.popLast() {
            stack += node.children.values.map(\.node)
            node.children = [:]
            node.parent = nil
            node.parents = []
        }
    }

    // MARK: Looking

    func status(of node: Node) -> FileStatus {
        FileStatus(
            identity: FileStatus.Identity(device: 1, inode: node.number), kind: node.kind, links: node.links,
            size: node.kind == .directory ? 4096 : node.size, allocated: node.allocated, changed: node.changed
        )
    }

    package func node(at path: [FileName], below top: Node) -> Node? {
        var node = top
        for name in path {
            guard let next = node.children[name]?.node else { return nil }
            node = next
        }
        return node
    }

    /// The bytes, allocated and apparent, and the inodes below some directories, by a walk over every name.
    package func walk(_ tops: [Node]) -> (disk: Int64, size: Int64, inodes: Int64) {
        var seen: Set<UInt64> = []
        var stack = tops
        var disk: Int64 = 0
        var size: Int64 = 0
        while let node = stack.popLast() {
            guard seen.insert(node.number).inserted else { continue }
            disk += node.allocated
            if node.kind == .directory {
                stack += node.children.values.map(\.node)
            } else {
                size += node.size
            }
        }
        return (disk, size, Int64(seen.count))
    }

    /// The directory at the top of what a directory lies in; `nil` where it was removed.
    func top(of directory: Node) -> Node? {
        var node = directory
        while let parent = node.parent { node = parent }
        return node.links > 0 ? node : nil
    }

    /// Whether anything of a tree is open, files without a name that were opened there included.
    func isOpen(_ node: Node) -> Bool {
        node.openCount > 0 || node.namelessCount > 0 || node.children.values.contains { isOpen($0.node) }
    }

    /// Whether a file of a tree has more than one name.
    func isLinked(_ node: Node) -> Bool {
        node.kind == .regular ? node.links > 1 : node.children.values.contains { isLinked($0.node) }
    }

    func isAlive(_ directory: Node) -> Bool {
        directory.links > 0
    }

    func isBelow(_ directory: Node, _ above: Node) -> Bool {
        var node = directory.parent
        while let next = node {
            if next === above { return true }
            node = next.parent
        }
        return false
    }

    // MARK: Parts of changes

    func make(_ kind: FileStatus.Kind) -> Node {
        let number: UInt64
        if let free = freeNumbers.popLast() {
            number = free
        } else {
            number = nextNumber
            nextNumber += 1
        }
        let node = Node(number: number, kind: kind, instances: instances.count)
        touch(node)
        return node
    }

    func touch(_ node: Node) {
        clock += 1000
        node.changed = clock
    }

    func allocate(_ node: Node) {
        node.allocated = (node.size + 4095) / 4096 * 4096
        if node.allocated > Self.settledBytes, node.delayed == 0 {
            node.delayed = 4096
            delayed.append(node)
        }
        touch(node)
    }

    /// Lets time pass and writes back what is delayed: blocks change, and nobody is told.
    package func writeBack(afterNanoseconds time: Int64 = 0) {
        clock += time
        for node in delayed where node.delayed > 0 {
            node.allocated += node.delayed
            node.delayed = 0
        }
        delayed = []
    }

    func attach(_ entry: Entry) {
        let parent = entry.parent
        parent.children[entry.name] = entry
        if entry.node.kind == .directory {
            entry.node.parent = parent
        } else {
            entry.node.parents.append(parent)
        }
        if parent.children.count > parent.mostChildren {
            parent.mostChildren = parent.children.count
            parent.allocated = max(parent.allocated, 4096 + Int64(parent.mostChildren / 6) * 4096)
        }
        touch(parent)
    }

    func detach(_ entry: Entry) {
        entry.parent.children[entry.name] = nil
        entry.node.parent = nil
        if let index = entry.node.parents.firstIndex(where: { $0 === entry.parent }) {
            entry.node.parents.remove(at: index)
        }
        touch(entry.parent)
    }

    func drop(_ node: Node) {
        node.links -= node.kind == .directory ? 2 : 1
        touch(node)
        if node.kind == .directory { for instance in instances { instance.end(node) } }
        release(node)
    }

    func release(_ node: Node) {
        guard node.links == 0, node.openCount == 0 else { return }
        node.delayed = 0
        freeNumbers.append(node.number)
    }

    // MARK: Events

    func tell(
        _ mask: InotifyEvent.Mask, _ parent: Node, _ name: FileName, cookie: UInt32 = 0,
        isDirectory: Bool = false
    ) {
        for instance in instances {
            instance.tell(isDirectory ? mask.union(.isDirectory) : mask, parent, name, cookie: cookie)
        }
    }

    /// Tells a directory what happened to itself.
    func tellOwn(_ mask: InotifyEvent.Mask, _ directory: Node) {
        guard directory.kind == .directory else { return }
        for instance in instances { instance.tell(mask, directory) }
    }

    func tellData(_ mask: InotifyEvent.Mask, _ entry: Entry) {
        let present = entry.parent.children[entry.name]
        if mutation == .noGoneNames, present == nil, entry.name.bytes.first != UInt8(ascii: "#") { return }
        if mutation == .noAliases, present !== entry { return }
        tell(mask, entry.parent, entry.name)
    }
}
