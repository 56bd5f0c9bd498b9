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
        package fileprivate(set) var size: Int64 = 0
        package fileprivate(set) var allocated: Int64 = 0
        package fileprivate(set) var links: UInt32 = 0
        package fileprivate(set) var children: [FileName: Entry] = [:]
        /// When it last changed, nanoseconds of the wall clock.
        fileprivate var changed: Int64 = 0
        fileprivate var watch: Int32?
        fileprivate var openCount = 0
        /// Blocks that writeback will add without an event.
        fileprivate var delayed: Int64 = 0
        fileprivate var mostChildren = 0
        /// Files that were opened here without a name.
        ///
        /// What is written to one by then linked elsewhere would be told
        /// nobody once the directory is gone: only an audit finds that, so it is left out.
        fileprivate var namelessCount = 0
        /// Made without a name: only such a file can get its first one.
        fileprivate var isLinkable = false

        fileprivate init(number: UInt64, kind: FileStatus.Kind) {
            self.number = number
            self.kind = kind
        }
    }

    /// A name as the kernel keeps it: it goes with the file when that is renamed, and outlives its removal as long
    /// as the file is open.
    package final class Entry {
        fileprivate(set) var parent: Node
        fileprivate(set) var name: FileName
        package let node: Node

        fileprivate init(_ parent: Node, _ name: FileName, _ node: Node) {
            self.parent = parent
            self.name = name
            self.node = node
        }
    }

    /// A file that is open for writing.
    package final class Opened {
        fileprivate let entry: Entry
        fileprivate var isMapped = false

        fileprivate init(_ entry: Entry) {
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

    /// The layer's directory.
    package let root: Node
    /// A directory of the same disk that is not the layer's: files come from there and go there.
    package let outside: Node
    package var mutation: Mutation?
    /// Events that wait at most; one more is the overflow.
    package var queueLimit = 16_384

    /// A file that takes more gets one block more at writeback.
    static let settledBytes: Int64 = 16_384

    private var freeNumbers: [UInt64] = []
    private var nextNumber: UInt64 = 2
    private var nextWatch: Int32 = 1
    private var watched: [Int32: Node] = [:]
    private var reserved: [ObjectIdentifier: Int32] = [:]
    private var queue: [InotifyEvent] = []
    private var isOverflown = false
    private var nextCookie: UInt32 = 1
    // The tracker takes files that were written long ago for settled.
    private var clock: Int64
    private var delayed: [Node] = []
    private(set) package var overflows = 0

    package init() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        clock = Int64(time.tv_sec) * 1_000_000_000
        root = Node(number: 2, kind: .directory)
        outside = Node(number: 3, kind: .directory)
        nextNumber = 4
        for node in [root, outside] {
            node.links = 2
            node.allocated = 4096
        }
    }

    deinit {
        // A directory and its entries hold each other.
        var stack = [root, outside]
        while let node = stack.popLast() {
            stack += node.children.values.map(\.node)
            node.children = [:]
        }
    }

    // MARK: Looking

    func status(of node: Node) -> FileStatus {
        FileStatus(
            identity: FileStatus.Identity(device: 1, inode: node.number), kind: node.kind, links: node.links,
            size: node.kind == .directory ? 4096 : node.size, allocated: node.allocated, changed: node.changed
        )
    }

    /// The bytes, apparent and allocated, and the inodes of the layer by a walk over every name.
    package func truth() -> (disk: Int64, size: Int64, inodes: Int64) {
        var seen: Set<UInt64> = []
        var stack = [root]
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

    // MARK: Watching

    func watch(_ node: Node) -> Int32 {
        if let watch = node.watch { return watch }
        let watch = reserveWatch(node)
        reserved[ObjectIdentifier(node)] = nil
        node.watch = watch
        watched[watch] = node
        return watch
    }

    /// The number that the directory's watch will have, before there is one.
    func reserveWatch(_ node: Node) -> Int32 {
        if let watch = node.watch ?? reserved[ObjectIdentifier(node)] { return watch }
        let watch = nextWatch
        nextWatch += 1
        reserved[ObjectIdentifier(node)] = watch
        return watch
    }

    func unwatch(_ watch: Int32) {
        guard let node = watched.removeValue(forKey: watch) else { return }
        node.watch = nil
        put(InotifyEvent(watch: watch, mask: .ignored))
    }

    /// Whether events wait.
    package var hasEvents: Bool { !queue.isEmpty }

    /// Hands over what is queued.
    package func drain(_ body: (InotifyEvent) -> Void) {
        let events = queue
        queue = []
        isOverflown = false
        for event in events { body(event) }
    }

    private func put(_ event: InotifyEvent) {
        // The kernel joins an event with the last one of the queue where they are the same.
        if let last = queue.last, last == event { return }
        guard queue.count < queueLimit else {
            guard !isOverflown else { return }
            isOverflown = true
            overflows += 1
            if mutation != .noOverflow { queue.append(InotifyEvent(watch: -1, mask: .queueOverflow)) }
            return
        }
        queue.append(event)
    }

    private func tell(
        _ mask: InotifyEvent.Mask, _ parent: Node, _ name: FileName, cookie: UInt32 = 0,
        isDirectory: Bool = false
    ) {
        guard let watch = parent.watch else { return }
        put(
            InotifyEvent(
                watch: watch, mask: isDirectory ? mask.union(.isDirectory) : mask, cookie: cookie, name: name)
        )
    }

    private func tellData(_ mask: InotifyEvent.Mask, _ entry: Entry) {
        let present = entry.parent.children[entry.name]
        if mutation == .noGoneNames, present == nil, entry.name.bytes.first != UInt8(ascii: "#") { return }
        if mutation == .noAliases, present !== entry { return }
        tell(mask, entry.parent, entry.name)
    }

    // MARK: Changing

    package func node(at path: [FileName], below top: Node) -> Node? {
        var node = top
        for name in path {
            guard let next = node.children[name]?.node else { return nil }
            node = next
        }
        return node
    }

    package func create(_ name: FileName, in directory: Node) -> Opened? {
        guard directory.kind == .directory else { return nil }
        if let entry = directory.children[name] {
            return entry.node.kind == .regular ? open(entry) : nil
        }
        guard isAlive(directory) else { return nil }
        let entry = Entry(directory, name, make(.regular))
        entry.node.links = 1
        attach(entry)
        tell(.create, directory, name)
        return open(entry)
    }

    /// Opens a file without a name, as `O_TMPFILE` does; the kernel calls it by its number.
    package func createNameless(in directory: Node) -> Opened? {
        guard directory.kind == .directory, isAlive(directory) else { return nil }
        let node = make(.regular)
        node.isLinkable = true
        directory.namelessCount += 1
        return open(Entry(directory, FileName("#\(node.number)"), node))
    }

    package func open(_ entry: Entry) -> Opened {
        entry.node.openCount += 1
        return Opened(entry)
    }

    package func node(of file: Opened) -> Node { file.entry.node }

    package func write(_ bytes: Int64, to file: Opened) {
        file.entry.node.size += bytes
        allocate(file.entry.node)
        tellData(.modify, file.entry)
    }

    /// Stores into mapped memory: blocks come, and nobody is told before the file is closed.
    package func store(into file: Opened) {
        file.isMapped = true
        file.entry.node.allocated += 8192
        touch(file.entry.node)
    }

    package func truncate(_ size: Int64, _ file: Opened) {
        file.entry.node.size = size
        file.entry.node.delayed = 0
        allocate(file.entry.node)
        tellData(.modify, file.entry)
    }

    package func close(_ file: Opened) {
        let node = file.entry.node
        node.openCount -= 1
        if file.entry.name.bytes.first == UInt8(ascii: "#") { file.entry.parent.namelessCount -= 1 }
        tellData(.closeWrite, file.entry)
        release(node)
    }

    /// Gives a file an attribute so large that it takes a block.
    package func setAttribute(_ entry: Entry) {
        entry.node.allocated += 4096
        touch(entry.node)
        guard mutation != .noAttributes else { return }
        tellData(.attributes, entry)
        // A watched directory hears of its own attributes as well.
        if let watch = entry.node.watch { put(InotifyEvent(watch: watch, mask: .attributes)) }
    }

    package func link(_ node: Node, _ name: FileName, in directory: Node) {
        guard node.kind == .regular, directory.kind == .directory, isAlive(directory),
            directory.children[name] == nil, node.links > 0 || node.isLinkable
        else { return }
        node.links += 1
        node.isLinkable = false
        touch(node)
        attach(Entry(directory, name, node))
        tell(.create, directory, name)
    }

    package func unlink(_ entry: Entry) {
        guard entry.parent.children[entry.name] === entry else { return }
        if entry.node.kind == .directory {
            guard entry.node.children.isEmpty, entry.node !== root, entry.node !== outside,
                entry.node.namelessCount == 0
            else { return }
        }
        detach(entry)
        drop(entry.node)
        tell(.delete, entry.parent, entry.name, isDirectory: entry.node.kind == .directory)
    }

    package func makeDirectory(_ name: FileName, in directory: Node) {
        guard directory.kind == .directory, isAlive(directory), directory.children[name] == nil else {
            return
        }
        let node = make(.directory)
        node.links = 2
        node.allocated = 4096
        attach(Entry(directory, name, node))
        tell(.create, directory, name, isDirectory: true)
    }

    package func rename(_ entry: Entry, to name: FileName, in directory: Node) {
        guard entry.parent.children[entry.name] === entry, directory.kind == .directory, isAlive(directory),
            !isBelow(directory, entry.node), directory !== entry.node
        else { return }
        let isDirectory = entry.node.kind == .directory
        if let target = directory.children[name] {
            guard target !== entry, target.node !== entry.node,
                (target.node.kind == .directory) == isDirectory, target.node.children.isEmpty
            else { return }
            detach(target)
            drop(target.node)
        }
        let cookie = nextCookie
        nextCookie += 1
        let (oldParent, oldName) = (entry.parent, entry.name)
        detach(entry)
        entry.parent = directory
        entry.name = name
        attach(entry)
        touch(entry.node)
        tell(.movedFrom, oldParent, oldName, cookie: cookie, isDirectory: isDirectory)
        tell(.movedTo, directory, name, cookie: cookie, isDirectory: isDirectory)
        if let watch = entry.node.watch { put(InotifyEvent(watch: watch, mask: .moveSelf)) }
    }

    package func exchange(_ first: Entry, _ second: Entry) {
        guard first.parent.children[first.name] === first, second.parent.children[second.name] === second,
            first !== second, !isBelow(second.parent, first.node), !isBelow(first.parent, second.node),
            first.node !== second.parent, second.node !== first.parent
        else { return }
        let (firstParent, firstName) = (first.parent, first.name)
        let (secondParent, secondName) = (second.parent, second.name)
        (first.parent, first.name) = (secondParent, secondName)
        (second.parent, second.name) = (firstParent, firstName)
        attach(first)
        attach(second)
        for (entry, from) in [(first, (firstParent, firstName)), (second, (secondParent, secondName))] {
            let cookie = nextCookie
            nextCookie += 1
            let isDirectory = entry.node.kind == .directory
            tell(.movedFrom, from.0, from.1, cookie: cookie, isDirectory: isDirectory)
            tell(.movedTo, entry.parent, entry.name, cookie: cookie, isDirectory: isDirectory)
            if let watch = entry.node.watch { put(InotifyEvent(watch: watch, mask: .moveSelf)) }
        }
    }

    /// Writes back what is delayed: blocks change, and nobody is told.
    package func writeBack() {
        for node in delayed where node.delayed > 0 {
            node.allocated += node.delayed
            node.delayed = 0
        }
        delayed = []
    }

    // MARK: Parts

    private func make(_ kind: FileStatus.Kind) -> Node {
        let number: UInt64
        if let free = freeNumbers.popLast() {
            number = free
        } else {
            number = nextNumber
            nextNumber += 1
        }
        let node = Node(number: number, kind: kind)
        touch(node)
        return node
    }

    private func touch(_ node: Node) {
        clock += 1000
        node.changed = clock
    }

    private func allocate(_ node: Node) {
        node.allocated = (node.size + 4095) / 4096 * 4096
        if node.allocated > Self.settledBytes, node.delayed == 0 {
            node.delayed = 4096
            delayed.append(node)
        }
        touch(node)
    }

    private func attach(_ entry: Entry) {
        let parent = entry.parent
        parent.children[entry.name] = entry
        if parent.children.count > parent.mostChildren {
            parent.mostChildren = parent.children.count
            parent.allocated = max(parent.allocated, 4096 + Int64(parent.mostChildren / 6) * 4096)
        }
        touch(parent)
    }

    private func detach(_ entry: Entry) {
        entry.parent.children[entry.name] = nil
        touch(entry.parent)
    }

    private func drop(_ node: Node) {
        node.links -= node.kind == .directory ? 2 : 1
        touch(node)
        if node.kind == .directory, let watch = node.watch {
            put(InotifyEvent(watch: watch, mask: .deleteSelf))
            watched[watch] = nil
            node.watch = nil
            put(InotifyEvent(watch: watch, mask: .ignored))
        }
        release(node)
    }

    private func release(_ node: Node) {
        guard node.links == 0, node.openCount == 0 else { return }
        node.delayed = 0
        freeNumbers.append(node.number)
    }

    /// Whether the layer hears of the directory's names: it is outside of it, or watched.
    ///
    /// A file that gets a name in a directory just made, is written by it, and loses it before anyone could watch,
    /// leaves no trace: only an audit finds that, so it is left out.
    func isHeard(_ directory: Node) -> Bool {
        directory.watch != nil || isOutside(directory)
    }

    func isOutside(_ directory: Node) -> Bool {
        directory === outside || isBelow(directory, outside)
    }

    /// Whether anything of a tree is open.
    func isOpen(_ node: Node) -> Bool {
        node.openCount > 0 || node.children.values.contains { isOpen($0.node) }
    }

    private func isAlive(_ directory: Node) -> Bool {
        directory.links > 0
    }

    private func isBelow(_ directory: Node, _ top: Node) -> Bool {
        guard top.kind == .directory else { return false }
        return top.children.values.contains { $0.node === directory || isBelow(directory, $0.node) }
    }
}
