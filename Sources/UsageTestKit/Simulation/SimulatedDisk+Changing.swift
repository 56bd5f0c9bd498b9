package import Kernel

// What programs do, with the events that each call queues.
extension SimulatedDisk {
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
        tellOwn(.attributes, entry.node)
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
        guard mayBeDropped(entry.node) else { return }
        detach(entry)
        drop(entry.node)
        tell(.delete, entry.parent, entry.name, isDirectory: entry.node.kind == .directory)
    }

    private func mayBeDropped(_ node: Node) -> Bool {
        node.kind != .directory || node.children.isEmpty && node.namelessCount == 0
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
                (target.node.kind == .directory) == isDirectory, mayBeDropped(target.node)
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
        tellOwn(.moveSelf, entry.node)
    }

    package func exchange(_ first: Entry, _ second: Entry) {
        guard first.parent.children[first.name] === first, second.parent.children[second.name] === second,
            first !== second, !isBelow(second.parent, first.node), !isBelow(first.parent, second.node),
            first.node !== second.parent, second.node !== first.parent
        else { return }
        let (firstParent, firstName) = (first.parent, first.name)
        let (secondParent, secondName) = (second.parent, second.name)
        detach(first)
        detach(second)
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
            tellOwn(.moveSelf, entry.node)
        }
    }
}
